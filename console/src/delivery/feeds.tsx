import { Button } from '@mantine/core';
import { useAct } from '../act';
import { number, plain, time } from '../format';
import { useSpeech } from '../i18n';
import { useLoad } from '../load';
import { Chip } from '../parts/figures';
import { Empty, Loading, Problem } from '../parts/state';
import { useWorkspace } from '../session';
import { delivery, type Feed } from './api';
import { Said } from './said';

/** Where the log is carried on to, and how far. */
export function Feeds() {
  const { t } = useSpeech();
  const space = useWorkspace();
  const { data, problem, reload } = useLoad(`feeds ${space.id}`, (signal) => delivery.feeds(signal), 5000);
  return (
    <>
      {problem && <Problem of={problem} again={reload} compact={data !== undefined} />}
      {!data && !problem && <Loading rows={4} height={48} />}
      {data?.items.length === 0 && <Empty title={t('feeds.empty')}>{t('feeds.empty.text')}</Empty>}
      <ul className="cards" role="list">{data?.items.map((one) => <Card key={one.name} feed={one} changed={reload} />)}</ul>
    </>
  );
}

function Card({ feed, changed }: { feed: Feed; changed: () => void }) {
  const { t, language, maybe } = useSpeech();
  const space = useWorkspace();
  const { busy, problem, act } = useAct();
  const runs = feed.state === 'on';
  const turn = (): Promise<void> => act(async () => {
    await (runs ? delivery.pauseFeed(feed.name) : delivery.resumeFeed(feed.name));
    changed();
  });
  const figures = [['behind', feed.rows_ahead], ['told', feed.entries], ['refused', feed.refused]] as const;
  const where = plain(feed.to.url ?? feed.to.path ?? feed.to.bucket ?? '');
  return (
    <li className="card provider">
      <div className="card-main">
        <h2>{feed.name}</h2>
        <p className="card-tags"><Chip tone={runs ? feed.trouble ? 'bad' : 'good' : 'bad'}>{maybe(`feeds.state.${feed.state}`, feed.state)}</Chip><Chip>{maybe(`feeds.kind.${feed.to.kind}`, feed.to.kind)}</Chip></p>
        <p className="note">{[where === '—' ? '' : where, feed.events.join(', ')].filter(Boolean).join(' · ')}</p>
        {feed.told_at && <p className="note">{t('feeds.told_at', { when: time(feed.told_at, language, space.zone) })}</p>}
        {feed.trouble && <p><Said reason={feed.trouble} /></p>}
        {feed.trouble && feed.next_at && <p className="note">{t('feeds.next_at', { when: time(feed.next_at, language, space.zone), n: feed.tries ?? 0 })}</p>}
      </div>
      <dl className="card-figures">{figures.map(([key, value]) => <div key={key}><dt>{t(`feeds.${key}`)}</dt><dd>{number(value ?? 0, language)}</dd></div>)}</dl>
      <Button size="xs" variant="default" loading={busy} onClick={() => void turn()}>{t(runs ? 'feeds.pause' : 'feeds.resume')}</Button>
      {problem && <Problem of={problem} compact />}
    </li>
  );
}
