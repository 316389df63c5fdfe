import { Button } from '@mantine/core';
import { time, titled } from '../format';
import { useSpeech } from '../i18n';
import { useKept, usePages } from '../load';
import { Empty, Loading, More, Problem } from '../parts/state';
import { Link, to } from '../router';
import { useWorkspace } from '../session';
import { calls, type CallList, type Entry } from './api';

/** Who is to be called now, the most pressing first. Numbers are shown to whoever takes one. */
export function Waiting({ list, lists, take, busy }: { list: string | null; lists: CallList[]; take: (entry: Entry) => void; busy: boolean }) {
  const { t, language } = useSpeech();
  const space = useWorkspace();
  const counts = lists.map((one) => `${one.open}/${one.later}/${one.taken}/${one.done}`).join(' '); // another count, another list
  const { items: read, problem, reload, more, busy: reading } = usePages(`calls ${space.id} ${list} ${counts}`, (cursor, signal) => calls.open(list, cursor, signal));
  const items = useKept(read, `${space.id} ${list}`);
  const next = lists.filter((one) => list === null || one.list === list).map((one) => one.next_at ?? '').filter(Boolean).sort()[0];
  if (problem && !items) return <Problem of={problem} again={reload} />;
  if (!items) return <Loading rows={4} height={40} />;
  if (lists.length === 0) return <Empty title={t('calls.empty')}>{t('calls.empty.text')}</Empty>;
  if (items.length === 0) return <Empty title={t('calls.done')}>{next ? t('calls.done.next', { when: time(next, language, space.zone) }) : t('calls.done.text')}</Empty>;
  return (
    <section aria-label={t('calls.waiting')}>
      <ul className="people" role="list">{items.map((entry) => <Row key={entry.id} entry={entry} take={() => take(entry)} busy={busy} />)}</ul>
      {problem && <Problem of={problem} compact />}
      <More more={more && (() => void more())} busy={reading} />
    </section>
  );
}

function Row({ entry, take, busy }: { entry: Entry; take: () => void; busy: boolean }) {
  const { t, language } = useSpeech();
  const space = useWorkspace();
  const about = [entry.list ? titled(entry.list) : t('calls.single'), entry.tries > 0 && t('calls.tried', { n: entry.tries }), entry.note].filter(Boolean).join(' · ');
  return (
    <li className="person call-row">
      <span className="person-who"><Link to={to('profiles', entry.profile)}><b>{entry.name || t('profiles.anonymous')}</b></Link><small>{about}</small></span>
      <span className="person-seen"><small>{t('calls.until')}</small>{time(entry.expires_at, language, space.zone)}</span>
      <Button size="xs" variant="default" disabled={busy} onClick={take} aria-label={`${t('calls.take')}: ${entry.name || t('profiles.anonymous')}`}>{t('calls.take')}</Button>
    </li>
  );
}
