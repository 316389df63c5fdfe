import { Button, SegmentedControl } from '@mantine/core';
import { useState } from 'react';
import { useAct } from '../act';
import { number, time, titled } from '../format';
import { useSpeech } from '../i18n';
import { useKept, useLoad, usePages } from '../load';
import { Chip } from '../parts/figures';
import { Empty, Loading, More, Problem } from '../parts/state';
import { Link, to } from '../router';
import { useWorkspace } from '../session';
import { delivery, type Message } from './api';
import { Said } from './said';

const STATES = ['unknown', 'rejected'] as const;

/** Messages that somebody should look at: those that may have arrived, and those that nobody took. */
export function Messages() {
  const { t, language, maybe } = useSpeech();
  const space = useWorkspace();
  const troubles = useLoad(`troubles ${space.id}`, (signal) => delivery.troubles(signal), 10_000);
  const [chosen, setChosen] = useState<string>();
  const counts = Object.fromEntries(STATES.map((state) => [state, troubles.data?.items.filter((one) => one.state === state) ?? []]));
  const total = (state: string): number => (counts[state] ?? []).reduce((sum, one) => sum + one.messages, 0);
  const state = chosen ?? STATES.find((one) => total(one) > 0) ?? 'unknown';
  if (troubles.problem && !troubles.data) return <Problem of={troubles.problem} again={troubles.reload} />;
  if (!troubles.data) return <Loading rows={6} height={40} />;
  if (troubles.data.items.length === 0) return <Empty title={t('stuck.empty')}>{t('stuck.empty.text')}</Empty>;
  return (
    <>
      <div className="controls">
        <SegmentedControl aria-label={t('delivery.messages')} value={state} onChange={setChosen} data={STATES.map((one) => ({ value: one, label: `${t(`stuck.${one}`)} ${number(total(one), language)}` }))} />
      </div>
      <p className="note">{t(`stuck.${state as 'unknown'}.text`)}</p>
      <p className="card-tags">{(counts[state] ?? []).map((one) => <Chip key={one.channel}>{maybe(`channel.${one.channel}`, one.channel)} {number(one.messages, language)}</Chip>)}</p>
      <List state={state} key={state} changed={troubles.reload} />
    </>
  );
}

function List({ state, changed }: { state: string; changed: () => void }) {
  const space = useWorkspace();
  const [turn, setTurn] = useState(0);
  const { items: read, problem, reload, more, busy } = usePages(`stuck ${space.id} ${state} ${turn}`, (cursor, signal) => delivery.messages(state, cursor, signal));
  const items = useKept(read, state);
  const again = (): void => { setTurn((n) => n + 1); changed(); };
  return (
    <>
      {problem && <Problem of={problem} again={reload} compact={items !== undefined} />}
      {!items && !problem && <Loading rows={6} height={40} />}
      {items && items.length > 0 && <ul className="people stuck" role="list">{items.map((one) => <Row key={one.id} message={one} changed={again} />)}</ul>}
      <More more={more && (() => void more())} busy={busy} />
    </>
  );
}

function Row({ message, changed }: { message: Message; changed: () => void }) {
  const { t, language, maybe } = useSpeech();
  const space = useWorkspace();
  const { busy, problem, act } = useAct();
  const from = message.journey ? titled(message.journey) : message.campaign ? titled(message.campaign) : '';
  const resend = (): Promise<void> => act(async () => {
    if (!message.transactional && !window.confirm(t('stuck.resend.sure'))) return;
    await delivery.resend(message.id);
    changed();
  });
  return (
    <li className="person">
      <span className="person-who"><Link to={to('profiles', message.profile)}><b>{message.address?.split('\n')[0] || t('profiles.anonymous')}</b></Link><small>{[message.template && titled(message.template), from].filter(Boolean).join(' · ')}</small></span>
      <span className="stuck-why"><Said reason={message.reason ?? message.trouble ?? ''} /></span>
      <span className="person-seen"><Chip>{maybe(`channel.${message.channel}`, message.channel)}</Chip><span>{time(message.planned_at, language, space.zone)}</span>{message.transactional && <small>{t('stuck.transactional')}</small>}</span>
      {message.state === 'unknown' && <Button size="xs" variant="default" loading={busy} onClick={() => void resend()}>{t('stuck.resend')}</Button>}
      {problem && <Problem of={problem} compact />}
    </li>
  );
}
