import { SegmentedControl } from '@mantine/core';
import { useMemo, useState } from 'react';
import { api } from '../api';
import { amount, currencyOf, money, number, period, share, titled } from '../format';
import { type Key, useSpeech } from '../i18n';
import { useLoad } from '../load';
import { Chart } from '../parts/chart';
import { Funnel, Stat, Stats, Triangle } from '../parts/figures';
import { Page, Panel } from '../parts/page';
import { Loading, Problem } from '../parts/state';
import { useWorkspace } from '../session';

const ranges = { '3mo': 3, '6mo': 6, '1y': 12, '2y': 24 } as const;
type Range = keyof typeof ranges;
const metrics = ['revenue', 'orders', 'aov', 'repeat_rate'] as const;
const DAY = 86_400_000;

export default function Dashboards() {
  const { t } = useSpeech();
  const space = useWorkspace();
  const [range, setRange] = useState<Range>('1y');
  const [every, setEvery] = useState('1mo');
  const overview = useLoad(`overview ${space.id}`, (signal) => api.overview(signal));
  const now = overview.data?.at ?? space.now;
  const span = useMemo(() => spanOf(now, ranges[range]), [now, range]);
  return (
    <Page title={t('dashboards.title')} lead={t('dashboards.lead')} wide>
      <div className="controls">
        <SegmentedControl size="sm" aria-label={t('dashboards.range')} value={range} onChange={(value) => setRange(value as Range)} data={Object.keys(ranges).map((value) => ({ value, label: t(`range.${value}` as Key) }))} />
        <SegmentedControl size="sm" aria-label={t('dashboards.every')} value={every} onChange={setEvery} data={['1w', '1mo'].map((value) => ({ value, label: t(`every.${value}` as Key) }))} />
      </div>
      <div className="columns columns-2">
        {metrics.map((metric) => <Metric key={metric} metric={metric} {...span} every={every} />)}
      </div>
      <Messages {...span} />
      <Retention {...span} />
      <Value now={now} />
    </Page>
  );
}

/** From the first of the month `months` ago to now, both as instants. */
function spanOf(now: string, months: number): { from: string; to: string } {
  const end = new Date(now);
  const start = new Date(Date.UTC(end.getUTCFullYear(), end.getUTCMonth() - months + 1, 1));
  return { from: start.toISOString().slice(0, 10), to: new Date(end.getTime() + DAY).toISOString().slice(0, 10) };
}

function Metric({ metric, from, to, every }: { metric: (typeof metrics)[number]; from: string; to: string; every: string }) {
  const { t, language } = useSpeech();
  const space = useWorkspace();
  const { data, problem, reload } = useLoad(`insight ${space.id} ${metric} ${from} ${to} ${every}`, (signal) => api.insight(metric, { from, to, every }, signal));
  const plot = useMemo(() => {
    const points = data?.series ?? [];
    const currency = currencyOf(points[0]?.value, data?.currency ?? space.currency);
    const format = (value: number, short = false): string => metric === 'repeat_rate' ? share(value, language) : metric === 'orders' ? number(value, language) : money(value, currency, language, short);
    return {
      times: points.map((one) => period(one.start, language, space.zone, every)),
      series: [{ name: t(`metric.${metric}`), kind: metric === 'aov' || metric === 'repeat_rate' ? 'line' as const : 'bar' as const, values: points.map((one) => amount(one.value)), format }],
    };
  }, [data, metric, language, space, every, t]);
  if (plot.times.length) return <Chart title={t(`metric.${metric}`)} note={t(`metric.${metric}.help`)} {...plot} height={240} />;
  return (
    <Panel title={t(`metric.${metric}`)} note={t(`metric.${metric}.help`)}>
      {problem ? (problem.status === 404 ? <p className="note">{t('metric.not_yet')}</p> : <Problem of={problem} again={reload} compact />) : data ? <p className="note">{t('metric.empty')}</p> : <Loading rows={5} />}
    </Panel>
  );
}

const STAGES = ['planned', 'sent', 'delivered', 'opened', 'clicked'];

function Messages({ from, to }: { from: string; to: string }) {
  const { t, language, maybe } = useSpeech();
  const space = useWorkspace();
  const { data, problem, reload } = useLoad(`messages ${space.id} ${from} ${to}`, (signal) => api.messages({ from, to, by: 'template' }, signal));
  return (
    <Panel title={t('dashboards.funnel')} note={t('dashboards.funnel.help')}>
      {problem && <Problem of={problem} again={reload} compact />}
      {!data && !problem && <Loading rows={5} />}
      {data && (data.n === 0 ? <p className="note">{t('messages.empty')}</p> : (
        <>
          <Funnel rows={STAGES.map((key) => ({ key, value: data.states[key] ?? 0 }))} label={(key) => maybe(`state.${key}`, key)} />
          <div className="scroll" tabIndex={0} role="region" aria-label={t('messages.by_template')}>
            <table className="table">
              <thead><tr><th scope="col">{t('messages.by_template')}</th><th scope="col" className="num">{t('campaign.sent')}</th><th scope="col" className="num">{t('campaign.opened')}</th><th scope="col" className="num">{t('campaign.clicked')}</th><th scope="col" className="num">{t('campaign.skipped')}</th></tr></thead>
              <tbody>{(data.groups ?? []).map((group) => (
                <tr key={group.by ?? ''}>
                  <th scope="row">{group.by ? titled(group.by) : t('none')}</th><td className="num">{number(group.states.sent ?? 0, language)}</td>
                  <td className="num">{share(group.rates.open_rate, language)}</td><td className="num">{share(group.rates.click_rate, language)}</td><td className="num">{number(group.states.skipped ?? 0, language)}</td>
                </tr>
              ))}</tbody>
            </table>
          </div>
        </>
      ))}
    </Panel>
  );
}

function Retention({ from, to }: { from: string; to: string }) {
  const { t } = useSpeech();
  const space = useWorkspace();
  const order = { event: 'Order Completed' };
  const { data, problem, reload } = useLoad(`retention ${space.id} ${from} ${to}`, (signal) => api.retention({ start: order, return: order, unit: 'month', periods: 13, first_time: true, mode: 'on', from, to }, signal));
  return (
    <Panel title={t('dashboards.retention')} note={t('overview.retention.lead')}>
      {problem && (problem.status === 404 ? <p className="note">{t('metric.not_yet')}</p> : <Problem of={problem} again={reload} compact />)}
      {!data && !problem && <Loading rows={6} />}
      {data && (data.cohorts.length ? <Triangle cohorts={data.cohorts} zone={space.zone} /> : <p className="note">{t('metric.empty')}</p>)}
    </Panel>
  );
}

function Value({ now }: { now: string }) {
  const { t, language } = useSpeech();
  const space = useWorkspace();
  const until = now.slice(0, 10);
  const { data, problem, reload } = useLoad(`clv ${space.id} ${until}`, (signal) => api.clv({ until, horizon: '52w' }, signal));
  const worth = amount(data?.expected_value);
  return (
    <Panel title={t('dashboards.clv')} note={t('dashboards.clv.help')}>
      {problem && (problem.status === 404 ? <p className="note">{t('metric.not_yet')}</p> : <Problem of={problem} again={reload} compact />)}
      {!data && !problem && <Loading rows={3} />}
      {data && (worth === null ? <p className="note">{t('clv.none')}</p> : (
        <>
          <Stats>
            <Stat label={t('clv.value')} value={money(worth, currencyOf(data.expected_value, space.currency), language)} tone="accent" />
            <Stat label={t('clv.purchases')} value={number(data.expected_purchases ?? 0, language)} />
            <Stat label={t('clv.customers')} value={number(data.n, language)} />
            {data.alive !== undefined && <Stat label={t('clv.alive')} value={number(data.alive, language)} />}
          </Stats>
          {data.params && <details className="raw"><summary>{t('clv.params')}</summary><dl className="pairs">{Object.entries(data.params).map(([key, value]) => <div key={key}><dt>{key}</dt><dd className="mono">{number(value, language, 4)}</dd></div>)}</dl></details>}
        </>
      ))}
    </Panel>
  );
}
