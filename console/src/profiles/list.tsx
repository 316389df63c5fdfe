import { TextInput } from '@mantine/core';
import { useEffect, useState } from 'react';
import { api } from '../api';
import { day, idOf, mailOf, nameOf, titled } from '../format';
import { useSpeech } from '../i18n';
import { usePages } from '../load';
import { Chip } from '../parts/figures';
import { Icon } from '../parts/icon';
import { Page } from '../parts/page';
import { Empty, Loading, More, Problem } from '../parts/state';
import { Link, navigate, to, useQuery } from '../router';
import { useWorkspace } from '../session';

const PAUSE = 250;

export default function Profiles() {
  const { t } = useSpeech();
  const search = useQuery().get('search') ?? '';
  const [typed, setTyped] = useState(search);
  useEffect(() => {
    if (typed.trim() === search) return;
    const wait = window.setTimeout(() => navigate(typed.trim() ? `/profiles?search=${encodeURIComponent(typed.trim())}` : '/profiles', true), PAUSE);
    return () => window.clearTimeout(wait);
  }, [typed, search]);
  return (
    <Page title={t('profiles.title')} lead={t('profiles.lead')}>
      <TextInput className="search" type="search" size="md" aria-label={t('profiles.search.label')} placeholder={t('profiles.search')} leftSection={<Icon name="search" size={18} />} value={typed} onChange={(event) => setTyped(event.currentTarget.value)} />
      <Found search={search} />
    </Page>
  );
}

function Found({ search }: { search: string }) {
  const { t, language } = useSpeech();
  const space = useWorkspace();
  const { items, problem, reload, more, busy } = usePages(`profiles ${space.id} ${search}`, (cursor, signal) => api.profiles({ search, cursor, limit: 50 }, signal));
  if (problem && !items) return <Problem of={problem} again={reload} />;
  if (!items) return <Loading rows={8} height={30} />;
  if (items.length === 0 && search) return <Empty icon="search" title={t('profiles.none', { search })}>{t('profiles.none.text')}</Empty>;
  if (items.length === 0) return <Empty title={t('profiles.empty')}>{t('profiles.empty.text')}</Empty>;
  return (
    <>
      <ul className="people" role="list">
        {items.map((one) => (
          <li key={one.id}>
            <Link to={to('profiles', one.id)} className="person">
              <span className="person-who"><b>{nameOf(one, t('profiles.anonymous'))}</b><small>{[mailOf(one), idOf(one, 'user_id')].filter((text) => text && text !== nameOf(one, '')).join(' · ') || one.id}</small></span>
              <span className="person-segments">{(one.segments ?? []).slice(0, 3).map((name) => <Chip key={name}>{titled(name)}</Chip>)}</span>
              <span className="person-seen">{one.last_seen_at && <><small>{t('profiles.seen')}</small>{day(one.last_seen_at, language, space.zone)}</>}</span>
            </Link>
          </li>
        ))}
      </ul>
      {problem && <Problem of={problem} compact />}
      <More more={more && (() => void more())} busy={busy} />
    </>
  );
}
