import { Button } from '@mantine/core';
import { useState } from 'react';
import { useAct } from '../act';
import { number } from '../format';
import { useSpeech } from '../i18n';
import { useKept, useLoad, usePages } from '../load';
import { ByHand } from '../calls/by-hand';
import { Page, Panel } from '../parts/page';
import { Empty, Loading, More, Problem } from '../parts/state';
import { useWorkspace } from '../session';
import { letters } from './api';
import { Card } from './batch';
import { Returned } from './returned';
import '../style/delivery.css';

const PACE = 10_000;

/** Letters on their way to the printer and the post, and those that came back. */
export default function Letters() {
  const { t } = useSpeech();
  const space = useWorkspace();
  const [turn, setTurn] = useState(0);
  const gathered = useLoad(`letters ${space.id}`, (signal) => letters.batches(null, signal), PACE);
  const newest = gathered.data?.items[0]?.number ?? 0;
  const { items: read, problem, reload, more, busy } = usePages(`batches ${space.id} ${newest} ${turn}`, (cursor, signal) => letters.batches(cursor, signal));
  const items = useKept(read, space.id);
  const changed = (): void => {
    setTurn((n) => n + 1);
    gathered.reload();
  };
  const open = gathered.data?.open.letters ?? 0;
  return (
    <Page title={t('letters.title')} lead={t('letters.lead')} wide>
      <ByHand here="/letters" />
      {gathered.problem && <Problem of={gathered.problem} again={gathered.reload} compact={gathered.data !== undefined} />}
      {!gathered.data && !gathered.problem && <Loading rows={6} height={40} />}
      {gathered.data && open === 0 && gathered.data.items.length === 0 && <Empty title={t('letters.empty')}>{t('letters.empty.text')}</Empty>}
      {gathered.data && (open > 0 || gathered.data.items.length > 0) && (
        <div className="desk">
          <section className="batches" aria-label={t('letters.batches')}>
            <Open letters={open} closed={changed} />
            {problem && <Problem of={problem} again={reload} compact />}
            <ul className="cards" role="list">{items?.map((batch) => <Card key={batch.number} batch={batch} changed={changed} />)}</ul>
            <More more={more && (() => void more())} busy={busy} />
          </section>
          <div className="desk-side"><Returned changed={changed} /></div>
        </div>
      )}
    </Page>
  );
}

/** What gathers until its batch closes, by itself or by hand. */
function Open({ letters: count, closed }: { letters: number; closed: () => void }) {
  const { t, language } = useSpeech();
  const { busy, problem, act } = useAct();
  const [said, setSaid] = useState('');
  const close = (): Promise<void> => act(async () => {
    const made = await letters.close();
    setSaid(made.items.length ? t('letters.closed', { n: number(made.items.reduce((sum, one) => sum + one.letters, 0), language) }) : t('letters.closed.none'));
    closed();
  });
  return (
    <Panel title={t('letters.open')} className="gathered">
      <p><span className="big">{number(count, language)}</span> {t('letters.open.count')}</p>
      <p className="note">{t('letters.open.text')}</p>
      {problem && <Problem of={problem} compact />}
      <p role="status" className="note">{said}</p>
      <Button onClick={() => void close()} loading={busy} disabled={count === 0}>{t('letters.close')}</Button>
    </Panel>
  );
}
