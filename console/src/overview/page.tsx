import { useEffect, useMemo, useRef, useState } from 'react';
import { api, type Overview as Answer } from '../api';
import { amount, currencyOf, money, number, period, share, titleOf } from '../format';
import { useSpeech } from '../i18n';
import { useLoad } from '../load';
import { tellNow } from '../now';
import { Chart } from '../parts/chart';
import { Bars, Stat, Stats, Triangle } from '../parts/figures';
import { Page, Panel } from '../parts/page';
import { Empty, Loading, Problem } from '../parts/state';
import { to } from '../router';
import { useWorkspace } from '../session';

const PACE = 2500;
const QUIET = new Set(['skipped', 'expired', 'unknown', 'planned', 'claimed', 'handed']);
const BAD = new Set(['bounced', 'complained', 'rejected', 'unsubscribed']);
const ORDER = ['planned', 'claimed', 'handed', 'sent', 'delivered', 'opened', 'clicked', 'unsubscribed', 'bounced', 'complained', 'rejected', 'skipped', 'expired', 'unknown'];

export function Overview() {
  const { t } = useSpeech();
  const space = useWorkspace();
  const { data, problem, reload } = useLoad(`overview ${space.id}`, (signal) => api.overview(signal), PACE);
  useEffect(() => { if (data?.at) tellNow(space.id, data.at); }, [data?.at, space.id]);
  return (
    <Page title={t('overview.title')} lead={t('overview.lead', { workspace: space.name })} wide>
      {problem && <Problem of={problem} again={reload} compact={data !== undefined} />}
      {!data && !problem && <Loading rows={7} height={34} />}
      {data && (data.events_total === 0 && data.profiles === 0
        ? <Empty title={t('overview.empty')}>{t('overview.empty.text')}<br />{t('overview.empty.docs')}</Empty>
        : <Figures of={data} />)}
    </Page>
  );
}

function Figures({ of }: { of: Answer }) {
  const { t, language, maybe } = useSpeech();
  const space = useWorkspace();
  const rate = useRate(of.events_total);
  const currency = currencyOf(of.revenue, space.currency);
  return (
    <>
      <Stats>
        <Stat label={t('overview.revenue')} value={money(amount(of.revenue), currency, language)} tone="accent" />
        <Stat label={t('overview.orders')} value={number(of.orders, language)} />
        <Stat label={t('overview.aov')} value={money(amount(of.aov), currency, language)} />
        <Stat label={t('overview.repeat')} value={share(of.repeat_rate, language)} hint={t('overview.repeat.hint')} />
        <Stat label={t('overview.profiles')} value={number(of.profiles, language)} />
        <Stat label={t('overview.events')} value={number(of.events_total, language)} hint={rate > 0 ? t('overview.rate', { n: number(rate, language) }) : t('overview.quiet')} live={rate > 0} />
      </Stats>
      <Months of={of} currency={currency} />
      <div className="columns">
        <Panel title={t('overview.segments')}>
          <Bars bars={[...of.segments].sort((a, b) => b.members - a.members).map((one) => ({ key: one.name, label: titleOf(one), value: one.members, to: to('segments', one.name), note: of.profiles ? share(one.members / of.profiles, language, 0) : '' }))} />
          {of.segments.length === 0 && <p className="note">{t('segments.empty.text')}</p>}
        </Panel>
        <Panel title={t('overview.messages')}>
          <Bars bars={Object.entries(of.messages).filter(([, n]) => n > 0).sort(([a], [b]) => ORDER.indexOf(a) - ORDER.indexOf(b)).map(([state, n]) => ({ key: state, label: maybe(`state.${state}`, state), value: n, tone: BAD.has(state) ? 'bad' : QUIET.has(state) ? 'quiet' : undefined }))} />
          {Object.keys(of.messages).length === 0 && <p className="note">{t('outbox.empty.text')}</p>}
        </Panel>
        <Journeys />
      </div>
      {of.retention.cohorts.length > 0 && (
        <Panel title={t('overview.retention')} note={t('overview.retention.lead')}><Triangle cohorts={of.retention.cohorts} zone={space.zone} /></Panel>
      )}
    </>
  );
}

function Journeys() {
  const { t, language } = useSpeech();
  const space = useWorkspace();
  const { data } = useLoad(`journeys ${space.id}`, (signal) => api.journeys(signal), PACE);
  return (
    <Panel title={t('overview.journeys')}>
      {!data && <Loading rows={3} />}
      {data && <Bars bars={data.items.map((one) => ({ key: one.name, label: titleOf(one), value: one.counts.entered, to: to('journeys', one.name), note: `${t('journey.active')} ${number(one.counts.active, language)}` }))} />}
      {data?.items.length === 0 && <p className="note">{t('journeys.empty.text')}</p>}
    </Panel>
  );
}

function Months({ of, currency }: { of: Answer; currency: string }) {
  const { t, language } = useSpeech();
  const space = useWorkspace();
  const held = JSON.stringify(of.months); // polled: the chart moves only when a number did
  const plot = useMemo(() => {
    const points = JSON.parse(held) as Answer['months'];
    return { times: points.map((one) => period(one.start, language, space.zone)), series: [
      { name: t('series.revenue'), kind: 'bar' as const, values: points.map((one) => amount(one.revenue)), format: (value: number, short = false) => money(value, currency, language, short) },
      { name: t('series.orders'), kind: 'line' as const, axis: 1 as const, values: points.map((one) => one.orders), format: (value: number) => number(value, language) },
    ] };
  }, [held, language, space.zone, currency, t]);
  return plot.times.length ? <Chart title={t('overview.months')} {...plot} height={320} /> : null;
}

/** Events a second, from two answers in a row. */
function useRate(total: number): number {
  const last = useRef({ total, at: 0 });
  const [rate, setRate] = useState(0);
  useEffect(() => {
    const now = performance.now();
    const { total: before, at } = last.current;
    if (at && total > before) setRate(Math.round((total - before) / ((now - at) / 1000)));
    last.current = { total, at: now };
    const calm = window.setTimeout(() => setRate(0), 2 * PACE);
    return () => window.clearTimeout(calm);
  }, [total]);
  return rate;
}
