import { Button } from '@mantine/core';
import { useState } from 'react';
import { useAct } from '../act';
import { number, time, titled } from '../format';
import { useSpeech } from '../i18n';
import { useLoad } from '../load';
import { Page } from '../parts/page';
import { Loading, Problem } from '../parts/state';
import { useWorkspace } from '../session';
import { calls, type CallList, type Entry, type Taken } from './api';
import { ByHand } from './by-hand';
import { InHand } from './in-hand';
import { Waiting } from './waiting';
import '../style/delivery.css';

const PACE = 5000;

/** The desk where somebody works a list: one call in hand, or what waits. */
export default function Calls() {
  const { t } = useSpeech();
  const space = useWorkspace();
  const lists = useLoad(`call lists ${space.id}`, (signal) => calls.lists(signal), PACE);
  const [list, setList] = useState<string | null>(null);
  const held = useLoad(`calls in hand ${space.id}`, (signal) => calls.mine(signal));
  const [taken, setTaken] = useState<Taken | null>(); // undefined: what the server says we have
  const [said, setSaid] = useState('');
  const { busy, problem, act, forget } = useAct();
  const mine = held.data?.items.filter((one) => Date.parse(one.taken_until ?? '') > Date.parse(space.clock === 'test' ? space.now : new Date().toISOString())) ?? [];
  const inHand = taken === undefined ? mine[0] : taken ?? undefined;

  const hold = (entry: Taken | null): void => {
    setTaken(entry);
    forget();
    lists.reload();
  };
  const next = (before = ''): Promise<void> => act(async () => {
    const { call } = await calls.next(list);
    hold(call);
    setSaid(call ? before : [before, t('calls.nobody')].filter(Boolean).join(' '));
  });
  const take = (entry: Entry): Promise<void> => act(async () => {
    setSaid('');
    hold(await calls.take(entry.id));
  }).finally(lists.reload); // one that may not be called has left the list
  const concluded = async (words: string, goOn: boolean): Promise<void> => {
    hold(null);
    setSaid(words);
    held.reload();
    if (goOn) await next(words);
  };
  const all = lists.data?.items ?? [];
  return (
    <Page title={t('calls.title')} lead={t('calls.lead')} wide>
      <ByHand here="/calls" />
      {lists.problem && <Problem of={lists.problem} again={lists.reload} compact={lists.data !== undefined} />}
      {!lists.data && !lists.problem && <Loading rows={6} height={40} />}
      <p role="status" className={said ? 'said' : 'hidden'}>{said}</p>
      {problem && <Problem of={problem} compact />}
      {lists.data && inHand && <InHand key={inHand.id} entry={inHand} concluded={concluded} />}
      {lists.data && !inHand && (
        <>
          {all.length > 0 && (
            <div className="desk-bar">
              <Lists lists={all} list={list} choose={setList} />
              <Button size="md" loading={busy} onClick={() => void next()} disabled={openIn(all, list) === 0}>{t('calls.next')}</Button>
            </div>
          )}
          <Waiting list={list} lists={all} take={(entry) => void take(entry)} busy={busy} />
        </>
      )}
    </Page>
  );
}

const openIn = (lists: CallList[], list: string | null): number => lists.filter((one) => list === null || one.list === list).reduce((sum, one) => sum + one.open, 0);

function Lists({ lists, list, choose }: { lists: CallList[]; list: string | null; choose: (list: string | null) => void }) {
  const { t, language } = useSpeech();
  const space = useWorkspace();
  const all = lists.length > 1 ? [{ key: null, name: t('calls.all'), one: undefined }] : [];
  const chips = [...all, ...lists.map((one) => ({ key: one.list, name: one.list ? titled(one.list) : t('calls.single'), one }))];
  return (
    <ul className="call-lists" aria-label={t('calls.lists')}>
      {chips.map(({ key, name, one }) => (
        <li key={key ?? ' '}>
          <button type="button" aria-pressed={list === key || lists.length === 1} onClick={() => choose(key)}>
            <b>{name}</b>
            <span>{t('calls.open', { n: number(openIn(lists, key), language) })}{one && one.later > 0 && ` · ${t('calls.later', { n: number(one.later, language) })}`}{one && one.taken > 0 && ` · ${t('calls.taken', { n: number(one.taken, language) })}`}</span>
            {one?.open === 0 && one.next_at && <small>{t('calls.next_at', { when: time(one.next_at, language, space.zone) })}</small>}
          </button>
        </li>
      ))}
    </ul>
  );
}
