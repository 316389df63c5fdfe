import { Button, NativeSelect, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useAct } from '../act';
import { number } from '../format';
import { useSpeech } from '../i18n';
import { useLoad } from '../load';
import { Chip } from '../parts/figures';
import { Empty, Loading, Problem } from '../parts/state';
import { Link, navigate, to } from '../router';
import { useWorkspace } from '../session';
import { delivery, type Provider, type Sending } from './api';
import { Resting } from './resting';
import { channelsOf, isInUse, restOf } from './standing';

const PACE = 5000;
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/;

/** Each provider with how it stands, then the channels that have none. */
export function Channels() {
  const { t, maybe } = useSpeech();
  const space = useWorkspace();
  const providers = useLoad(`providers of ${space.id}`, (signal) => delivery.providers(signal), PACE);
  const sending = useLoad(`sending ${space.id}`, (signal) => delivery.sending(signal), PACE);
  const problem = providers.problem ?? sending.problem;
  const again = (): void => { providers.reload(); sending.reload(); };
  const items = providers.data?.items;
  const without = sending.data?.items.filter((one) => one.provider === null).map((one) => maybe(`channel.${one.channel}`, one.channel)) ?? [];
  return (
    <>
      {problem && <Problem of={problem} again={again} compact={items !== undefined} />}
      {(!items || !sending.data) && !problem && <Loading rows={6} height={48} />}
      {items?.length === 0 && <Empty title={t('channels.empty')}>{t('channels.empty.text')}</Empty>}
      {items && sending.data && items.length > 0 && (
        <ul className="cards" role="list">
          {items.map((one) => <Card key={one.name} provider={one} sending={sending.data as Sending} changed={again} />)}
        </ul>
      )}
      {items && items.length > 0 && without.length > 0 && <p className="notice">{t('channels.without', { channels: without.join(t('list.comma')) })}</p>}
      {items && <Begin taken={items.map((one) => one.name)} />}
    </>
  );
}

function Card({ provider, sending, changed }: { provider: Provider; sending: Sending; changed: () => void }) {
  const { t, language, maybe } = useSpeech();
  const { busy, problem, act } = useAct();
  const channels = channelsOf(provider, sending);
  const paused = channels.filter((one) => one.state === 'paused');
  const rest = restOf(provider, sending);
  const inUse = isInUse(provider, sending);
  const waiting = inUse ? channels.reduce((sum, one) => sum + one.waiting, 0) : 0;
  const turn = (): Promise<void> => act(async () => {
    for (const one of channels) await (paused.length ? delivery.resume(one.channel) : delivery.pause(one.channel));
    changed();
  });
  return (
    <li className="card provider">
      <div className="card-main">
        <h2><Link to={to('delivery', provider.name)} className="card-link">{provider.name}</Link></h2>
        <p className="card-tags">
          <Chip tone="accent">{maybe(`channel.${provider.channel}`, provider.channel)}</Chip>
          <Chip>{maybe(`kind.${provider.kind}`, provider.kind)}</Chip>
          {!inUse && <Chip>{t('channels.not_used')}</Chip>}
          {paused.length > 0 && <Chip tone="bad">{t('channels.paused')}</Chip>}
          {inUse && paused.length === 0 && !rest && <Chip tone="good">{t('channels.running')}</Chip>}
          {provider.warnings.length > 0 && <Chip tone="bad">{t('channels.warnings', { n: provider.warnings.length })}</Chip>}
        </p>
        {paused[0]?.paused && <p className="note">{paused[0].paused.reason ? t('channels.paused.guard', { reason: maybe(`guard.${paused[0].paused.reason}`, paused[0].paused.reason) }) : t('channels.paused.by', { who: paused[0].paused.by ?? '' })}</p>}
        {rest && <Resting rest={rest} />}
      </div>
      <dl className="card-figures">
        <div><dt>{t('channels.waiting')}</dt><dd>{number(waiting, language)}</dd></div>
        <div><dt>{t('channels.pace')}</dt><dd>{provider.rate ? <>{number(provider.rate, language, 2)}<small>{t('channels.pace.unit')}</small></> : <small>{t('channels.pace.free')}</small>}</dd></div>
      </dl>
      {channels.length > 0 && inUse && <Button className="above" size="xs" variant="default" loading={busy} onClick={() => void turn()} aria-label={`${t(paused.length ? 'channels.resume' : 'channels.pause')}: ${provider.name}`}>{t(paused.length ? 'channels.resume' : 'channels.pause')}</Button>}
      {problem && <Problem of={problem} compact />}
    </li>
  );
}

/** A name and a kind; the page that follows is where it is set up. */
function Begin({ taken }: { taken: string[] }) {
  const { t, maybe } = useSpeech();
  const kinds = useLoad('provider kinds', (signal) => delivery.kinds(signal));
  const [name, setName] = useState('');
  const [kind, setKind] = useState('smtp');
  const [fault, setFault] = useState('');
  const begin = (event: FormEvent): void => {
    event.preventDefault();
    if (taken.includes(name)) return setFault(t('channels.name.taken'));
    if (!NAME.test(name)) return setFault(t('templates.name.wrong'));
    navigate(`${to('delivery', name)}?new=${kind}`);
  };
  const choices = [...(kinds.data?.items ?? [])]
    .map((one) => ({ value: one.kind, label: `${one.channel ? maybe(`channel.${one.channel}`, one.channel) : t('channels.any')}: ${maybe(`kind.${one.kind}`, one.kind)}` }))
    .sort((a, b) => a.label.localeCompare(b.label));
  return (
    <section className="panel" aria-label={t('channels.new')}>
      <h2>{t('channels.new')}</h2>
      {kinds.problem && <Problem of={kinds.problem} again={kinds.reload} compact />}
      <form className="begin-row" onSubmit={begin}>
        <TextInput label={t('templates.name')} placeholder="mail" value={name} error={fault} autoComplete="off" onChange={(event) => { setName(event.currentTarget.value); setFault(''); }} />
        <NativeSelect label={t('channels.kind')} value={kind} onChange={(event) => setKind(event.currentTarget.value)} data={choices} />
        <Button type="submit">{t('channels.begin')}</Button>
      </form>
    </section>
  );
}
