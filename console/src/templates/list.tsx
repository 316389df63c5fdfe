import { Button, NativeSelect, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { api, type TemplateRow } from '../api';
import { time, titled } from '../format';
import { useSpeech } from '../i18n';
import { usePages } from '../load';
import { Chip } from '../parts/figures';
import { Icon } from '../parts/icon';
import { Page } from '../parts/page';
import { Empty, Loading, More, Problem } from '../parts/state';
import { Link, navigate, to } from '../router';
import { useWorkspace } from '../session';
import { channelOf, CHANNELS, localesOf, text } from './draft';
import '../style/templates.css';

const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/;

export default function Templates() {
  const { t } = useSpeech();
  const space = useWorkspace();
  const { items, problem, reload, more, busy } = usePages(`templates ${space.id}`, (cursor, signal) => api.templates(cursor, signal));
  const [search, setSearch] = useState('');
  const found = items?.filter((one) => matches(one, search.trim().toLowerCase()));
  return (
    <Page title={t('templates.title')} lead={t('templates.lead')}>
      <Begin taken={items?.map((one) => one.name) ?? []} />
      {problem && <Problem of={problem} again={reload} compact={items !== undefined} />}
      {!items && !problem && <Loading rows={6} height={48} />}
      {items?.length === 0 && <Empty title={t('templates.empty')}>{t('templates.empty.text')}</Empty>}
      {items && items.length > 0 && (
        <>
          <TextInput className="search" type="search" size="md" aria-label={t('templates.search')} placeholder={t('templates.search')} leftSection={<Icon name="search" size={18} />} value={search} onChange={(event) => setSearch(event.currentTarget.value)} />
          <p className="hidden" role="status">{t('templates.found', { n: found?.length ?? 0 })}</p>
          {found?.length === 0 && <Empty icon="search" title={t('templates.none', { search })}>{t('templates.none.text')}</Empty>}
          <ul className="people templates" role="list">{found?.map((one) => <Row key={one.name} one={one} />)}</ul>
          <More more={more && (() => void more())} busy={busy} />
        </>
      )}
    </Page>
  );
}

const matches = (one: TemplateRow, search: string): boolean =>
  [one.name, titled(one.name), text(one.subject), text(one.body), channelOf(one)].some((said) => said.toLowerCase().includes(search));

function Row({ one }: { one: TemplateRow }) {
  const { t, language, maybe } = useSpeech();
  const space = useWorkspace();
  const channel = channelOf(one);
  return (
    <li>
      <Link to={to('templates', one.name)} className="person">
        <span className="person-who"><b>{titled(one.name)}</b><small>{text(one.subject) || text(one.body).slice(0, 120)}</small></span>
        <span className="person-segments"><Chip tone="accent">{maybe(`channel.${channel}`, channel)}</Chip>{localesOf(one).map((locale) => <Chip key={locale}>{locale}</Chip>)}</span>
        <span className="person-seen"><small>{t('templates.changed')}</small>{time(one.published_at, language, space.zone)}</span>
      </Link>
    </li>
  );
}

/** A name and a channel; the page that follows is where it is written. */
function Begin({ taken }: { taken: string[] }) {
  const { t, maybe } = useSpeech();
  const [name, setName] = useState('');
  const [channel, setChannel] = useState('email');
  const [fault, setFault] = useState('');
  const begin = (event: FormEvent): void => {
    event.preventDefault();
    if (taken.includes(name)) return setFault(t('templates.name.taken'));
    if (!NAME.test(name)) return setFault(t('templates.name.wrong'));
    navigate(`${to('templates', name)}?new=${channel}`);
  };
  return (
    <form className="begin" onSubmit={begin}>
      <TextInput label={t('templates.name')} placeholder="spring_news" value={name} error={fault} onChange={(event) => { setName(event.currentTarget.value); setFault(''); }} autoComplete="off" />
      <NativeSelect label={t('templates.channel')} value={channel} onChange={(event) => setChannel(event.currentTarget.value)} data={CHANNELS.map((one) => ({ value: one, label: maybe(`channel.${one}`, one) }))} />
      <Button type="submit">{t('templates.new')}</Button>
    </form>
  );
}
