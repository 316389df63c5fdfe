import type { ReactNode } from 'react';
import { number, time, titled } from '../format';
import { useSpeech } from '../i18n';
import { useLoad, usePages } from '../load';
import { Page, Panel } from '../parts/page';
import { Empty, Loading, More, Problem } from '../parts/state';
import { useWorkspace } from '../session';
import { type Catalog, catalogs, type Promotion } from './api';
import '../style/delivery.css';

/** What templates draw from: things, and codes. */
export default function Catalogs() {
  const { t } = useSpeech();
  const space = useWorkspace();
  const things = usePages(`catalogs ${space.id}`, (cursor, signal) => catalogs.catalogs(cursor, signal));
  const offers = usePages(`promotions ${space.id}`, (cursor, signal) => catalogs.promotions(cursor, signal));
  return (
    <Page title={t('catalogs.title')} lead={t('catalogs.lead')}>
      <Panel title={t('catalogs.things')} note={t('catalogs.things.text')}>
        <List of={things} empty={[t('catalogs.empty'), t('catalogs.empty.text')]} row={(one) => <Thing key={one.name} catalog={one} />} />
      </Panel>
      <Panel title={t('catalogs.codes')} note={t('catalogs.codes.text')}>
        <List of={offers} empty={[t('promotions.empty'), t('promotions.empty.text')]} row={(one) => <Offer key={one.name} promotion={one} />} />
      </Panel>
    </Page>
  );
}

function List<T>({ of, empty, row }: { of: ReturnType<typeof usePages<T>>; empty: [string, string]; row: (one: T) => ReactNode }) {
  const { items, problem, reload, more, busy } = of;
  return (
    <>
      {problem && <Problem of={problem} again={reload} compact />}
      {!items && !problem && <Loading rows={3} height={36} />}
      {items?.length === 0 && <Empty title={empty[0]}>{empty[1]}</Empty>}
      {items && items.length > 0 && <ul className="people people-plain" role="list">{items.map(row)}</ul>}
      <More more={more && (() => void more())} busy={busy} />
    </>
  );
}

function Thing({ catalog }: { catalog: Catalog }) {
  const { t, language } = useSpeech();
  const space = useWorkspace();
  const chosen = catalog.selections.map((one) => titled(one.name));
  return (
    <li className="person">
      <span className="person-who"><b>{titled(catalog.name)}</b><small>{[t('catalogs.changed', { when: time(catalog.published_at, language, space.zone) }), ...chosen].join(' · ')}</small></span>
      <span className="person-seen"><small>{t('catalogs.items')}</small>{number(catalog.item_count, language)}</span>
    </li>
  );
}

/** Its codes are counted when it is shown. */
function Offer({ promotion }: { promotion: Promotion }) {
  const { t, language } = useSpeech();
  const space = useWorkspace();
  const counts = useLoad(`promotion ${space.id} ${promotion.name}`, (signal) => catalogs.promotion(promotion.name, signal)).data?.codes;
  return (
    <li className="person offer">
      <span className="person-who"><b>{titled(promotion.name)}</b><small>{t('promotions.per', { n: promotion.per_profile ?? 1 })}</small></span>
      <dl className="card-figures">{(['free', 'reserved', 'committed', 'redeemed'] as const).map((state) => <div key={state}><dt>{t(`promotions.${state}`)}</dt><dd>{counts ? number(counts[state] ?? 0, language) : '…'}</dd></div>)}</dl>
    </li>
  );
}
