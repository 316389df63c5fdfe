import { lazy, Suspense } from 'react';
import { api, type Fields, type Journey, type Json } from '../api';
import { number, plain, readable, share, span, titled, titleOf } from '../format';
import { useSpeech } from '../i18n';
import { useLoad } from '../load';
import { Bars, Chip, Stat, Stats } from '../parts/figures';
import { Page, Panel } from '../parts/page';
import { Loading, Problem } from '../parts/state';
import { RuleTree } from '../segments/rule';
import { useWorkspace } from '../session';
import { Status } from './status';
import { againWords, stepWords, trigger } from './words';

const Map = lazy(() => import('./map')); // React Flow comes with the first journey that is looked at
const object = (value: Json | undefined): Fields => typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};

export default function One({ name }: { name: string }) {
  const { t, language } = useSpeech();
  const space = useWorkspace();
  const { data, problem, reload } = useLoad(`journey ${space.id} ${name}`, (signal) => api.journey(name, signal), 3000);
  const counts = data?.counts;
  const left = Object.entries(counts?.exited ?? {}).reduce((sum, [reason, n]) => reason === 'completed' ? sum : sum + n, 0);
  return (
    <Page title={data ? titleOf(data) : titled(name)} back={{ to: '/journeys', name: t('journeys.title') }} wide actions={data && <span className="card-tags"><Status of={data.status} version={data.version} /></span>}>
      {problem && <Problem of={problem} again={reload} compact={data !== undefined} />}
      {!data && !problem && <Loading rows={8} />}
      {data && counts && (
        <>
          <Stats>
            <Stat label={t('journey.entered')} value={number(counts.entered, language)} />
            <Stat label={t('journey.active')} value={number(counts.active, language)} />
            <Stat label={t('journey.completed')} value={number(counts.completed, language)} />
            <Stat label={t('journey.exited')} value={number(left, language)} />
            <Stat label={t('journey.goal')} value={number(counts.goal, language)} hint={counts.entered ? share(counts.goal / counts.entered, language) : undefined} tone="accent" />
          </Stats>
          <Terms of={data} />
          <Panel title={t('journey.map')} className="map-panel">
            <Suspense fallback={<Loading rows={8} />}><Map of={data} /></Suspense>
          </Panel>
          <div className="columns">
            <Steps of={data} />
            <Panel title={t('journey.why_left')}><Left exited={counts.exited ?? {}} /></Panel>
          </div>
        </>
      )}
    </Page>
  );
}

/** Who enters, when they leave at once, and what counts as success. */
function Terms({ of }: { of: Journey }) {
  const speech = useSpeech();
  const { t } = speech;
  const entry = object(of.definition.entry);
  const goal = object(of.definition.goal);
  const exits = (of.definition.exit ?? []).map(object);
  return (
    <div className="columns">
      <Panel title={t('journey.entry')}>
        <p>{trigger(object(entry.on), speech)}</p>
        {entry.audience !== undefined && <><p className="note">{t('entry.audience')}</p><RuleTree rule={object(entry.audience)} /></>}
        <p className="card-tags"><Chip>{againWords(entry.again, speech)}</Chip>{entry.key !== undefined && <Chip>{t('entry.key', { key: plain(entry.key) })}</Chip>}{entry.holdout ? <Chip tone="accent">{t('journey.holdout', { n: plain(entry.holdout) })}</Chip> : null}</p>
      </Panel>
      <Panel title={t('journey.exits')}>
        {exits.length === 0 ? <p className="note">{t('journey.no_exits')}</p> : <ul className="plain-list">{exits.map((one, index) => <li key={index}>{trigger(one, speech)}</li>)}</ul>}
      </Panel>
      <Panel title={t('journey.goal.rule')}>
        {goal.event === undefined ? <p className="note">{t('journey.no_goal')}</p> : <p>{trigger(goal, speech)}{goal.within !== undefined && <> · {t('journey.within', { span: span(plain(goal.within), t) })}</>}</p>}
      </Panel>
    </div>
  );
}

function Left({ exited }: { exited: Record<string, number> }) {
  const { t, maybe } = useSpeech();
  const rows = Object.entries(exited).filter(([, n]) => n > 0).sort(([, a], [, b]) => b - a);
  return rows.length ? <Bars bars={rows.map(([reason, value]) => ({ key: reason, label: maybe(`reason.${reason}`, readable(reason)), value, tone: 'quiet' as const }))} /> : <p className="note">{t('journey.nobody_left')}</p>;
}

function Steps({ of }: { of: Journey }) {
  const speech = useSpeech();
  const { t, language } = speech;
  return (
    <Panel title={t('journey.steps')} className="span-2">
      <div className="scroll" tabIndex={0} role="region" aria-label={t('journey.steps')}>
        <table className="table">
          <thead><tr><th scope="col">{t('journey.step')}</th><th scope="col" className="num">{t('journey.entered')}</th><th scope="col" className="num">{t('journey.waiting')}</th><th scope="col" className="num">{t('journey.left')}</th></tr></thead>
          <tbody>
            {(of.definition.steps ?? []).map((step) => {
              const counted = of.counts.steps?.[step.id];
              return (
                <tr key={step.id}>
                  <th scope="row">{stepWords(step, speech).title}<small>{[stepWords(step, speech).detail, step.id].filter(Boolean).join(' · ')}</small></th>
                  <td className="num">{number(counted?.entered ?? 0, language)}</td><td className="num">{number(counted?.waiting ?? 0, language)}</td><td className="num">{number(counted?.left ?? 0, language)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}
