import { Button, NativeSelect, PasswordInput, Textarea, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useAct } from '../act';
import type { Fields } from '../api';
import { useSpeech } from '../i18n';
import { Problem } from '../parts/state';
import { navigate, to, useUnsaved } from '../router';
import { readable } from '../format';
import { delivery, type Kind, type KindField, type Provider } from './api';
import { begin, isLong, read, type Typed } from './settings';

const OFTEN = ['port', 'tls', 'username']; // asked for nearly always, though they have a default

/** A provider's settings, drawn from what its kind takes. What is secret goes in and is never shown. */
export function SettingsForm({ name, kind, provider, saved }: { name: string; kind: Kind; provider: Provider | undefined; saved: (set: Provider) => void }) {
  const { t, maybe } = useSpeech();
  const [typed, setTyped] = useState<Typed>(() => begin(kind, provider));
  const [rate, setRate] = useState(provider?.rate ? String(provider.rate) : '');
  const [start, setStart] = useState(() => JSON.stringify(typed) + rate);
  const [channel, setChannel] = useState(provider?.channel ?? kind.channel ?? 'email');
  const [faults, setFaults] = useState<Record<string, string>>({});
  const [said, setSaid] = useState('');
  const { busy, problem, act } = useAct();
  const unsaved = JSON.stringify(typed) + rate !== start;
  useUnsaved(unsaved && !busy, t('provider.leave'));
  const held = provider?.secrets ?? [];
  const refused = (field: string): string | undefined => problem?.errors.find((one) => one.pointer === `/settings/${field}` || one.pointer.startsWith(`/settings/${field}/`))?.message;

  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setSaid('');
    const found = read(kind, typed, held);
    const words: Record<string, string> = Object.fromEntries(Object.entries(found.faults).map(([field, fault]) => [field, t(`provider.fault.${fault}`)]));
    if (rate.trim() !== '' && !(Number(rate) >= 0)) words.rate = t('provider.fault.number');
    setFaults(words);
    if (Object.keys(words).length) return;
    void act(async () => {
      const set = await delivery.put(name, {
        kind: kind.kind, channel, settings: found.settings, rate: Number(rate) || 0, lane: provider?.lane ?? null, warm_up: provider?.warm_up ?? null, domains: (provider?.domains ?? {}) as Fields,
      });
      const next = begin(kind, set);
      setTyped(next);
      setStart(JSON.stringify(next) + rate);
      setSaid(t('provider.saved'));
      navigate(to('delivery', name), true);
      saved(set);
    });
  };
  const usual = kind.fields.filter((field) => field.is_required || held.includes(field.name) || OFTEN.includes(field.name) || (field.is_secret && field.type !== 'json'));
  const rest = kind.fields.filter((field) => !usual.includes(field));
  const draw = (field: KindField) => <OneField key={field.name} kind={kind.kind} field={field} held={held.includes(field.name)} value={typed[field.name] ?? ''} fault={faults[field.name] ?? refused(field.name)} change={(value) => setTyped({ ...typed, [field.name]: value })} />;
  return (
    <form className="stack settings-form" onSubmit={submit} noValidate>
      {kind.channel === null && <NativeSelect label={t('templates.channel')} value={channel} onChange={(event) => setChannel(event.currentTarget.value)} data={['email', 'sms', 'push', 'line', 'whatsapp'].map((one) => ({ value: one, label: maybe(`channel.${one}`, one) }))} />}
      <div className="fields">{usual.map(draw)}</div>
      <details open={rest.some((field) => faults[field.name] ?? refused(field.name)) || usual.length === 0 || undefined}>
        <summary>{t('provider.more')}</summary>
        <div className="fields">
          {rest.map(draw)}
          {!kind.is_local && <TextInput label={t('provider.rate')} inputWrapperOrder={['label', 'input', 'description', 'error']} description={t('provider.rate.help')} inputMode="decimal" value={rate} error={faults.rate} onChange={(event) => setRate(event.currentTarget.value)} />}
        </div>
      </details>
      {problem && <Problem of={problem} compact />}
      <p role="status" className={said ? 'said' : 'hidden'}>{said}</p>
      <div className="conclude-go"><Button type="submit" loading={busy}>{t(provider ? 'provider.save' : 'provider.set')}</Button></div>
    </form>
  );
}

type Order = ('label' | 'input' | 'description' | 'error')[];

function OneField({ kind, field, held, value, fault, change }: { kind: string; field: KindField; held: boolean; value: string; fault: string | undefined; change: (value: string) => void }) {
  const { t, maybe } = useSpeech();
  const label = maybe(`setting.${kind}.${field.name}`, maybe(`setting.${field.name}`, readable(field.name)));
  const given = {
    label, value, error: fault, inputWrapperOrder: ['label', 'input', 'description', 'error'] as Order, required: field.is_required && !held, withAsterisk: field.is_required && !held, autoComplete: field.is_secret ? 'new-password' : 'off', spellCheck: false,
    description: field.is_secret && held ? t('provider.held') : maybe(`setting.${kind}.${field.name}.help`, maybe(`setting.${field.name}.help`, '')) || undefined,
    placeholder: field.is_secret && held ? '••••••••' : undefined,
    onChange: (event: { currentTarget: { value: string } }): void => change(event.currentTarget.value),
  };
  if (field.type === 'choice') return <NativeSelect {...given} data={field.choices.map((one) => ({ value: one, label: maybe(`choice.${one}`, one) }))} />;
  if (isLong(kind, field)) return <Textarea {...given} className={field.type === 'json' ? 'code wide-field' : 'wide-field'} rows={5} />;
  if (field.is_secret) return <PasswordInput {...given} visibilityToggleButtonProps={{ 'aria-label': t('provider.show', { field: label }) }} />;
  return <TextInput {...given} inputMode={field.type === 'text' ? undefined : 'decimal'} />;
}
