import { useState } from 'react';
import { api, type Json, type Profile } from '../api';
import { day, human, mailOf, nameOf, plain, readable, time, titled } from '../format';
import { useSpeech } from '../i18n';
import { useLoad } from '../load';
import { Chip } from '../parts/figures';
import { Page, Panel } from '../parts/page';
import { Loading, Problem } from '../parts/state';
import { Link, to } from '../router';
import { useWorkspace } from '../session';
import { Timeline } from './timeline';
import { type About, Why } from './why';

export default function One({ name }: { name: string }) {
  const { t, language } = useSpeech();
  const space = useWorkspace();
  const { data, problem, reload } = useLoad(`profile ${space.id} ${name}`, (signal) => api.profile(name, signal));
  const [about, setAbout] = useState<About>();
  const who = data ? nameOf(data, t('profiles.anonymous')) : t('profile.title');
  const lead = data && [mailOf(data) !== who && mailOf(data), t('profile.since', { when: day(data.created_at, language, space.zone) }), data.last_seen_at && t('profile.seen', { when: time(data.last_seen_at, language, space.zone) })].filter(Boolean).join(' · ');
  const ask = (next: About): void => {
    setAbout(next);
    document.getElementById('why')?.scrollIntoView({ block: 'center' });
  };
  return (
    <Page title={who} lead={lead} back={{ to: '/profiles', name: t('profiles.title') }} wide>
      {problem && <Problem of={problem} again={reload} />}
      {!data && !problem && <Loading rows={8} />}
      {data && (
        <div className="profile">
          <div className="profile-side">
            <Memberships of={data} ask={ask} />
            <Runs of={data} ask={ask} />
            <Why of={data} about={about} setAbout={setAbout} />
            <Panel title={t('profile.traits')}><Pairs of={data.traits} empty={t('profile.no_traits')} /></Panel>
            {data.computed && Object.keys(data.computed).length > 0 && <Panel title={t('profile.computed')}><Pairs of={flat(data.computed)} empty="" /></Panel>}
            <Identities of={data} />
            <Consent of={data.consent} />
          </div>
          <Timeline of={data.id} ask={ask} />
        </div>
      )}
    </Page>
  );
}

function Memberships({ of, ask }: { of: Profile; ask: (about: About) => void }) {
  const { t } = useSpeech();
  return (
    <Panel title={t('profile.segments')}>
      {of.segments.length === 0 && <p className="note">{t('profile.no_segments')}</p>}
      <ul className="badges" role="list">
        {of.segments.map((name) => (
          <li key={name}><Link to={to('segments', name)}><Chip tone="accent">{titled(name)}</Chip></Link><button type="button" className="why-button" onClick={() => ask({ kind: 'segment', name })} aria-label={`${t('why.title')} ${readable(name)}`}>?</button></li>
        ))}
      </ul>
    </Panel>
  );
}

function Runs({ of, ask }: { of: Profile; ask: (about: About) => void }) {
  const { t, language, maybe } = useSpeech();
  const space = useWorkspace();
  return (
    <Panel title={t('profile.journeys')}>
      {of.journeys.length === 0 && <p className="note">{t('profile.no_journeys')}</p>}
      <ul className="runs" role="list">
        {of.journeys.map((run) => (
          <li key={run.run}>
            <div><Link to={to('journeys', run.journey)}><b>{titled(run.journey)}</b></Link> <Chip tone={run.state === 'active' ? 'good' : 'plain'}>{maybe(`state.${run.state}`, run.state)}</Chip>
              <button type="button" className="why-button" onClick={() => ask({ kind: 'journey', name: run.journey })} aria-label={`${t('why.title')} ${readable(run.journey)}`}>?</button></div>
            <small>{[run.state === 'active' && run.step ? t('profile.journey.at', { step: readable(run.step) }) : run.exit_reason && maybe(`reason.${run.exit_reason}`, readable(run.exit_reason)), run.key, t('profile.journey.since', { when: time(run.entered_at, language, space.zone) })].filter(Boolean).join(' · ')}</small>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Identities({ of }: { of: Profile }) {
  const { t, maybe } = useSpeech();
  const byType = new Map<string, string[]>();
  for (const one of of.identities) byType.set(one.type, [...(byType.get(one.type) ?? []), one.id]);
  return (
    <Panel title={t('profile.identities')}>
      <dl className="pairs">
        {[...byType].map(([type, ids]) => <div key={type}><dt>{maybe(`profile.${type}`, readable(type))}</dt><dd className="mono">{ids.map((id) => <span key={id} className="line">{id}</span>)}</dd></div>)}
        <div><dt>{t('profile.id')}</dt><dd className="mono">{of.id}</dd></div>
      </dl>
    </Panel>
  );
}

function Consent({ of }: { of: Json | undefined }) {
  const { t, maybe } = useSpeech();
  const rows = consentRows(of);
  if (rows.length === 0) return null;
  return (
    <Panel title={t('profile.consent')}>
      <dl className="pairs">
        {rows.map(([about, state]) => <div key={about}><dt>{about.split('/').map((part) => maybe(`channel.${part}`, readable(part))).join(' · ')}</dt><dd><Chip tone={state === 'opted_out' || state === 'suppressed' ? 'bad' : state === 'opted_in' ? 'good' : 'plain'}>{maybe(`consent.${state}`, state)}</Chip></dd></div>)}
      </dl>
    </Panel>
  );
}

/** Consent comes as a list of `{channel, topic, state}` or as nested objects; both become `channel/topic` and its state. */
function consentRows(of: Json | undefined, path = ''): [string, string][] {
  if (typeof of === 'string') return [[path, of]];
  if (Array.isArray(of)) return of.flatMap((one) => typeof one === 'object' && one && !Array.isArray(one) ? [[[one.channel, one.topic].filter((part) => typeof part === 'string').join('/'), plain(one.state)] as [string, string]] : []);
  if (typeof of !== 'object' || of === null) return [];
  if (typeof of.state === 'string') return [[path, typeof of.suppressed === 'string' ? 'suppressed' : of.state], ...consentRows(of.topics ?? null, path)];
  return Object.entries(of).flatMap(([key, value]) => consentRows(value, path ? `${path}/${key}` : key));
}

const flat = (fields: Record<string, Json>): Record<string, Json> => Object.fromEntries(Object.entries(fields).flatMap(([key, value]) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value).map(([inner, one]) => [`${key}.${inner}`, one]) : [[key, value]]));

function Pairs({ of, empty }: { of: Record<string, Json>; empty: string }) {
  const { language } = useSpeech();
  const space = useWorkspace();
  const shown = Object.entries(of);
  if (shown.length === 0) return <p className="note">{empty}</p>;
  return <dl className="pairs">{shown.map(([key, value]) => <div key={key}><dt>{readable(key)}</dt><dd>{human(value, language, space.zone)}</dd></div>)}</dl>;
}
