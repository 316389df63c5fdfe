import { NativeSelect, Textarea, TextInput } from '@mantine/core';
import { useEffect, useState } from 'react';
import { api, type Entry, type Json, type Profile, type ProfileRow } from '../api';
import { mailOf, nameOf, time } from '../format';
import { useSpeech } from '../i18n';
import { useLoad } from '../load';
import { Icon } from '../parts/icon';
import { useWorkspace } from '../session';
import { fields } from './draft';

/** For whom the preview is rendered, and after which event. */
export interface Whom { profile?: Profile | ProfileRow; event?: Json; data?: Json }

const PAUSE = 250;

export function AsWhom({ whom, choose }: { whom: Whom; choose: (whom: Whom) => void }) {
  const { t } = useSpeech();
  const [turn, setTurn] = useState(0); // an event that is taken over replaces what was typed
  const take = (event: Json): void => {
    choose({ ...whom, event });
    setTurn(turn + 1);
  };
  return (
    <div className="whom">
      {whom.profile ? <Chosen profile={whom.profile} leave={() => choose({ ...whom, profile: undefined })} /> : <Find choose={(profile) => choose({ ...whom, profile })} />}
      <details>
        <summary>{t('preview.example')}</summary>
        <div className="whom-example">
          {whom.profile && <Events profile={whom.profile.id} choose={take} />}
          <Example key={turn} label={t('preview.event')} value={whom.event} change={(event) => choose({ ...whom, event })} />
          <Example label={t('preview.data')} value={whom.data} change={(data) => choose({ ...whom, data })} />
        </div>
      </details>
    </div>
  );
}

function Chosen({ profile, leave }: { profile: Profile | ProfileRow; leave: () => void }) {
  const { t } = useSpeech();
  const who = nameOf(profile, t('profiles.anonymous'));
  return (
    <p className="whom-chosen">
      <Icon name="profiles" size={18} />
      <span>{t('preview.as')} <b>{who}</b>{mailOf(profile) && mailOf(profile) !== who && <small> {mailOf(profile)}</small>}</span>
      <button type="button" className="link" onClick={leave}>{t('preview.other')}</button>
    </p>
  );
}

function Find({ choose }: { choose: (profile: ProfileRow) => void }) {
  const { t } = useSpeech();
  const space = useWorkspace();
  const [typed, setTyped] = useState('');
  const [search, setSearch] = useState('');
  useEffect(() => {
    const wait = window.setTimeout(() => setSearch(typed.trim()), PAUSE);
    return () => window.clearTimeout(wait);
  }, [typed]);
  const found = useLoad(`whom ${space.id} ${search}`, (signal) => api.profiles({ search, limit: 5 }, signal)).data?.items;
  return (
    <div className="whom-find" role="group" aria-label={t('preview.whom')}>
      <TextInput type="search" size="sm" label={t('preview.whom')} placeholder={t('profiles.search')} leftSection={<Icon name="search" size={16} />} value={typed} onChange={(event) => setTyped(event.currentTarget.value)} />
      {found && found.length > 0 && (
        <ul role="list">
          {found.map((one) => <li key={one.id}><button type="button" onClick={() => choose(one)}><b>{nameOf(one, t('profiles.anonymous'))}</b><small>{mailOf(one) || one.id}</small></button></li>)}
        </ul>
      )}
      {found?.length === 0 && <p className="note">{search ? t('profiles.none', { search }) : t('preview.nobody')}</p>}
    </div>
  );
}

/** What this customer did last, to take as the event. */
function Events({ profile, choose }: { profile: string; choose: (event: Json) => void }) {
  const { t, language } = useSpeech();
  const space = useWorkspace();
  const entries = useLoad(`whom events ${space.id} ${profile}`, (signal) => api.timeline(profile, null, signal)).data?.items ?? [];
  const events = entries.filter((entry) => entry.type === 'track').slice(0, 12);
  if (events.length === 0) return null;
  const take = (id: string): void => {
    const found = events.find((entry) => entry.id === id);
    if (found) choose(eventOf(found));
  };
  return <NativeSelect size="sm" label={t('preview.take')} value="" onChange={(event) => take(event.currentTarget.value)} data={[{ value: '', label: t('why.choose') }, ...events.map((entry) => ({ value: entry.id, label: `${entry.event} · ${time(entry.timestamp, language, space.zone)}` }))]} />;
}

const eventOf = (entry: Entry): Json => ({ event: entry.event, properties: entry.properties, timestamp: entry.timestamp });

/** JSON to render with; what is no object yet is said and not used. */
function Example({ label, value, change }: { label: string; value: Json | undefined; change: (value: Json | undefined) => void }) {
  const { t } = useSpeech();
  const [typed, setTyped] = useState(shown(value));
  const [fault, setFault] = useState(false);
  const take = (said: string): void => {
    setTyped(said);
    const found = parsed(said);
    setFault(said.trim() !== '' && found === undefined);
    if (said.trim() === '' || found !== undefined) change(found);
  };
  return <Textarea label={label} rows={5} size="sm" className="code" spellCheck={false} value={typed} error={fault && t('preview.no_json')} onChange={(event) => take(event.currentTarget.value)} />;
}

const shown = (value: Json | undefined): string => value === undefined ? '' : JSON.stringify(value, null, 2);
function parsed(said: string): Json | undefined {
  try {
    const found = JSON.parse(said) as Json;
    return fields(found) === found ? found : undefined;
  } catch { return undefined; }
}
