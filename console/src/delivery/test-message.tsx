import { Button, NativeSelect, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useAct } from '../act';
import { api } from '../api';
import { titled } from '../format';
import { useSpeech } from '../i18n';
import { useLoad } from '../load';
import { Panel } from '../parts/page';
import { Problem } from '../parts/state';
import { Link } from '../router';
import { useSession, useWorkspace } from '../session';
import { channelOf } from '../templates/draft';
import { delivery, type Message, type Provider } from './api';
import { Said } from './said';

const BY_ADDRESS = ['email', 'sms', 'whatsapp', 'line'];
const UNDER_WAY = ['planned', 'claimed', 'handed'];

/** One message over this provider, at once: a mail to oneself, on other channels to an address of one's own. */
export function TestMessage({ provider }: { provider: Provider }) {
  const { t } = useSpeech();
  const space = useWorkspace();
  const { me } = useSession();
  const isMail = provider.channel === 'email';
  const templates = useLoad(`templates ${space.id}`, (signal) => api.templates(null, signal)).data?.items.filter((one) => channelOf(one) === provider.channel) ?? [];
  const [template, setTemplate] = useState('');
  const [address, setAddress] = useState('');
  const [message, setMessage] = useState('');
  const { busy, problem, act } = useAct();
  if (!BY_ADDRESS.includes(provider.channel)) return null;
  const chosen = template || templates[0]?.name || '';
  const target = isMail ? me?.email ?? '' : address.trim();
  const send = (event: FormEvent): void => {
    event.preventDefault();
    setMessage('');
    void act(async () => {
      const id = isMail ? (await api.testTemplate(chosen, { to: [target] })).messages[0]?.id : (await delivery.say({ channel: provider.channel, template: chosen, to: target, transactional: true })).id;
      setMessage(id ?? '');
    });
  };
  return (
    <Panel title={t('test.title')} note={isMail ? t('test.mail', { to: target }) : t('test.address')}>
      {templates.length === 0 ? <p className="note">{t('test.no_template')} <Link className="inline-link" to="/templates">{t('templates.title')}</Link></p> : (
        <form className="begin-row" onSubmit={send}>
          <NativeSelect label={t('test.template')} value={chosen} onChange={(event) => setTemplate(event.currentTarget.value)} data={templates.map((one) => ({ value: one.name, label: titled(one.name) }))} />
          {!isMail && <TextInput label={t('test.to')} placeholder={provider.channel === 'line' ? 'U…' : '+49…'} value={address} onChange={(event) => setAddress(event.currentTarget.value)} />}
          <Button type="submit" variant="default" loading={busy} disabled={!target}>{t('test.go')}</Button>
        </form>
      )}
      {problem && <Problem of={problem} compact />}
      {message && <Became id={message} key={message} />}
    </Panel>
  );
}

/** Followed until it is known what became of it. */
function Became({ id }: { id: string }) {
  const { t, maybe } = useSpeech();
  const [over, setOver] = useState(false);
  const { data, problem, reload } = useLoad(`test ${id}`, async (signal): Promise<Message> => {
    const found = await delivery.message(id, signal);
    setOver(!UNDER_WAY.includes(found.state));
    return found;
  }, over ? 0 : 700);
  if (problem && !data) return <Problem of={problem} again={reload} compact />;
  const state = data?.state ?? 'planned';
  const why = data?.reason ?? data?.trouble;
  return <p role="status" className={over && state !== 'sent' && state !== 'delivered' ? 'said said-bad' : 'said'}>{t('test.state', { state: maybe(`state.${state}`, state) })} {why && <Said reason={why} />}</p>;
}
