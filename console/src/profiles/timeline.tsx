import { SegmentedControl } from '@mantine/core';
import { useState } from 'react';
import { api, type Entry } from '../api';
import { clockTime, day, human, readable } from '../format';
import { useSpeech } from '../i18n';
import { usePages } from '../load';
import { Icon, type IconName } from '../parts/icon';
import { Panel } from '../parts/page';
import { Loading, More, Problem } from '../parts/state';
import { useWorkspace } from '../session';
import { isFact, tell, type Told } from './facts';
import type { About } from './why';

const icons: Record<Told['kind'], IconName> = { customer: 'dot', segment: 'segments', journey: 'journeys', message: 'outbox', profile: 'profiles' };
const views = ['all', 'customer', 'kizuna'] as const;

/** All that happened to one person, newest first; what followed from something else says from what. */
export function Timeline({ of, ask }: { of: string; ask: (about: About) => void }) {
  const { t, language } = useSpeech();
  const space = useWorkspace();
  const [view, setView] = useState<string>('all');
  const { items, problem, reload, more, busy } = usePages(`timeline ${space.id} ${of}`, (cursor, signal) => api.timeline(of, cursor, signal));
  const shown = items?.filter((entry) => view === 'all' || isFact(entry) === (view === 'kizuna')) ?? [];
  const byId = new Map(items?.flatMap((entry) => [[entry.id, entry], ...(entry.message_id ? [[entry.message_id, entry] as const] : [])] as [string, Entry][]));
  return (
    <Panel title={t('profile.timeline')} className="timeline-panel" aside={<SegmentedControl size="xs" aria-label={t('profile.only_facts')} value={view} onChange={setView} data={views.map((value) => ({ value, label: t(`profile.show.${value}`) }))} />}>
      {problem && <Problem of={problem} again={reload} compact={items !== undefined} />}
      {!items && !problem && <Loading rows={10} />}
      {items && shown.length === 0 && <p className="note">{t('profile.no_timeline')}</p>}
      <ol className="timeline">
        {shown.map((entry, index) => {
          const date = day(entry.timestamp, language, space.zone);
          const before = shown[index - 1];
          return <Moment key={entry.id} entry={entry} date={before && day(before.timestamp, language, space.zone) === date ? '' : date} cause={entry.caused_by ? byId.get(entry.caused_by) : undefined} ask={ask} />;
        })}
      </ol>
      <More more={more && (() => void more())} busy={busy} />
    </Panel>
  );
}

function Moment({ entry, date, cause, ask }: { entry: Entry; date: string; cause: Entry | undefined; ask: (about: About) => void }) {
  const speech = useSpeech();
  const { t, language } = speech;
  const space = useWorkspace();
  const told = tell(entry, speech, space.currency);
  const message = told.kind === 'message' && typeof entry.properties.message === 'string' ? entry.properties.message : '';
  const details = Object.entries(entry.properties);
  return (
    <>
      {date && <li className="timeline-day">{date}</li>}
      <li className={`moment moment-${told.kind} moment-${told.tone}`} id={entry.id}>
        <time dateTime={entry.timestamp}>{clockTime(entry.timestamp, language, space.zone)}</time>
        <span className="moment-dot"><Icon name={icons[told.kind]} size={15} /></span>
        <div>
          <p><b>{told.text}</b>{told.detail && <span className="moment-detail">{told.detail}</span>}</p>
          <div className="moment-more">
            {entry.caused_by && <p className="moment-cause">{t('profile.because')} {cause ? <a href={`#${cause.id}`}>{tell(cause, speech, space.currency).text}</a> : <span>{t('profile.earlier')}</span>}</p>}
            {details.length > 0 && (
              <details>
                <summary>{t('profile.details')}</summary>
                <dl className="pairs">{details.map(([key, value]) => <div key={key}><dt>{readable(key)}</dt><dd>{human(value, language, space.zone)}</dd></div>)}</dl>
              </details>
            )}
            {message && <button type="button" className="link" onClick={() => ask({ kind: 'message', name: message })}>{t('why.ask')}</button>}
          </div>
        </div>
      </li>
    </>
  );
}
