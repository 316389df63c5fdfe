import { api } from '../api';
import { amount, currencyOf, money, number, readable, share, titled, titleOf } from '../format';
import { useSpeech } from '../i18n';
import { useLoad } from '../load';
import { Bars, Chip, Funnel, Stat, Stats } from '../parts/figures';
import { Page, Panel } from '../parts/page';
import { Loading, Problem } from '../parts/state';
import { Link, to } from '../router';
import { useWorkspace } from '../session';
import { actorsOf, countsOf, segmentOf, skippedOf, stages, statusOf } from './numbers';

export default function One({ name }: { name: string }) {
  const { t, language, maybe } = useSpeech();
  const space = useWorkspace();
  const { data, problem, reload } = useLoad(`campaign ${space.id} ${name}`, (signal) => api.campaign(name, signal), 3000);
  const counts = data ? countsOf(data) : {};
  const reasons = typeof counts.skipped === 'object' ? Object.entries(counts.skipped).filter(([, n]) => n > 0).sort(([, a], [, b]) => b - a) : [];
  const actors = actorsOf(counts);
  const segment = data ? segmentOf(data) : null;
  return (
    <Page title={data ? titleOf(data) : titled(name)} back={{ to: '/campaigns', name: t('campaigns.title') }} actions={data && <span className="card-tags"><Chip tone={statusOf(data) === 'finished' ? 'good' : 'plain'}>{maybe(`campaign.status.${statusOf(data)}`, statusOf(data))}</Chip></span>}
      lead={segment && <>{t('campaign.to')} <Link to={to('segments', segment)}>{titled(segment)}</Link></>}>
      {problem && <Problem of={problem} again={reload} compact={data !== undefined} />}
      {!data && !problem && <Loading rows={6} />}
      {data && (
        <>
          <Stats>
            <Stat label={t('campaign.planned')} value={number(counts.planned ?? 0, language)} />
            <Stat label={t('campaign.skipped')} value={number(skippedOf(counts), language)} />
            <Stat label={t('campaign.sent')} value={number(counts.sent ?? 0, language)} tone="accent" />
            <Stat label={t('campaign.opened')} value={number(counts.opened ?? 0, language)} hint={counts.sent ? share((counts.opened ?? 0) / counts.sent, language) : undefined} />
            <Stat label={t('campaign.clicked')} value={number(counts.clicked ?? 0, language)} hint={counts.sent ? share((counts.clicked ?? 0) / counts.sent, language) : undefined} />
            {counts.revenue !== undefined && <Stat label={t('campaign.revenue')} value={money(amount(counts.revenue), currencyOf(counts.revenue, space.currency), language)} />}
          </Stats>
          <div className="columns columns-2">
            <Panel title={t('campaign.numbers')}>
              <Funnel rows={stages.filter((key) => counts[key] !== undefined).map((key) => ({ key, value: counts[key] ?? 0 }))} label={(key) => maybe(`campaign.${key}`, key)} />
            </Panel>
            <Panel title={t('campaign.why_skipped')}>
              {reasons.length ? <Bars bars={reasons.map(([reason, value]) => ({ key: reason, label: maybe(`reason.${reason}`, readable(reason)), value, tone: 'quiet' as const }))} /> : <p className="note">{t('campaign.none_skipped')}</p>}
            </Panel>
          </div>
          {actors.length > 0 && (
            <Panel title={t('campaign.by_whom')}>
              <div className="scroll" tabIndex={0} role="region" aria-label={t('campaign.by_whom')}>
                <table className="table">
                  <thead><tr><th scope="col">{t('campaign.actor')}</th><th scope="col" className="num">{t('campaign.opened')}</th><th scope="col" className="num">{t('campaign.clicked')}</th></tr></thead>
                  <tbody>{actors.map((row) => <tr key={row.key}><th scope="row">{maybe(`campaign.actor.${row.key}`, row.key)}</th><td className="num">{number(row.opened, language)}</td><td className="num">{number(row.clicked, language)}</td></tr>)}</tbody>
                </table>
              </div>
              <p className="note">{t('campaign.by_whom_note')}</p>
            </Panel>
          )}
          {data.definition && <details className="raw panel"><summary>{t('campaign.definition')}</summary><pre>{JSON.stringify(data.definition, null, 2)}</pre></details>}
        </>
      )}
    </Page>
  );
}
