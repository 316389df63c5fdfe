import { NativeSelect, TextInput } from '@mantine/core';
import { useEffect, useState } from 'react';
import { day } from '../format';
import { useSpeech } from '../i18n';
import { usePages } from '../load';
import { Chip } from '../parts/figures';
import { Icon } from '../parts/icon';
import { Empty, Loading, More, Problem } from '../parts/state';
import { useWorkspace } from '../session';
import { delivery } from './api';

const PAUSE = 250;
const CHANNELS = ['email', 'sms', 'call', 'letter', 'line', 'whatsapp', 'push'];

/** Addresses that nothing goes to any more. */
export function Suppressions() {
  const { t, language, maybe } = useSpeech();
  const space = useWorkspace();
  const [typed, setTyped] = useState('');
  const [search, setSearch] = useState('');
  const [channel, setChannel] = useState('');
  useEffect(() => {
    const wait = window.setTimeout(() => setSearch(typed.trim()), PAUSE);
    return () => window.clearTimeout(wait);
  }, [typed]);
  const { items, problem, reload, more, busy } = usePages(`suppressions ${space.id} ${channel} ${search}`, (cursor, signal) => delivery.suppressions({ search, channel, cursor }, signal));
  const isAll = !search && !channel;
  return (
    <>
      <div className="controls">
        <TextInput className="search" type="search" aria-label={t('suppressions.search')} placeholder={t('suppressions.search')} leftSection={<Icon name="search" size={18} />} value={typed} onChange={(event) => setTyped(event.currentTarget.value)} />
        <NativeSelect aria-label={t('templates.channel')} value={channel} onChange={(event) => setChannel(event.currentTarget.value)} data={[{ value: '', label: t('suppressions.all') }, ...CHANNELS.map((one) => ({ value: one, label: maybe(`channel.${one}`, one) }))]} />
      </div>
      {problem && <Problem of={problem} again={reload} compact={items !== undefined} />}
      {!items && !problem && <Loading rows={6} height={36} />}
      {items?.length === 0 && isAll && <Empty title={t('suppressions.empty')}>{t('suppressions.empty.text')}</Empty>}
      {items?.length === 0 && !isAll && <Empty icon="search" title={t('suppressions.none')}>{t('suppressions.none.text')}</Empty>}
      {items && items.length > 0 && (
        <>
          <ul className="people" role="list">
            {items.map((one) => (
              <li key={`${one.channel} ${one.address}`} className="person">
                <span className="person-who"><b>{one.channel === 'letter' ? t('suppressions.letter') : one.address}</b><small>{maybe(`suppressed.${one.reason}`, one.reason)}</small></span>
                <span className="person-segments"><Chip>{maybe(`channel.${one.channel}`, one.channel)}</Chip></span>
                <span className="person-seen"><small>{t('suppressions.since')}</small>{day(one.at, language, space.zone)}</span>
              </li>
            ))}
          </ul>
          <More more={more && (() => void more())} busy={busy} />
          <p className="note">{t('suppressions.leave')}</p>
        </>
      )}
    </>
  );
}
