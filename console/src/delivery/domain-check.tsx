import { Button, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useAct } from '../act';
import { useSpeech } from '../i18n';
import { Chip } from '../parts/figures';
import { Panel } from '../parts/page';
import { Problem } from '../parts/state';
import { type Checked, delivery, type Provider } from './api';
import { Copy } from './copy';

/** SPF, DKIM, DMARC and MX of the sender's domain: as they are, and what to put into the DNS. */
export function DomainCheck({ provider }: { provider: Provider }) {
  const { t } = useSpeech();
  const [host, setHost] = useState('');
  const [found, setFound] = useState<Checked>();
  const { busy, problem, act } = useAct();
  const check = (event: FormEvent): void => {
    event.preventDefault();
    void act(async () => setFound(await delivery.check(provider.name, host.trim())));
  };
  return (
    <Panel title={t('domain.title')} note={t('domain.text')}>
      <form className="begin-row" onSubmit={check}>
        <TextInput label={t('domain.host')} placeholder="amazonses.com" value={host} onChange={(event) => setHost(event.currentTarget.value)} />
        <Button type="submit" loading={busy}>{t('domain.check')}</Button>
      </form>
      {problem && <Problem of={problem} compact />}
      <div role="status">
        {found && <p className={found.ok ? 'said' : 'said said-bad'}>{t(found.ok ? 'domain.ok' : 'domain.not_ok', { domain: found.domain })}</p>}
      </div>
      {found && <ul className="records">{found.records.map((one, index) => <Record key={index} record={one} />)}</ul>}
    </Panel>
  );
}

function Record({ record }: { record: Checked['records'][number] }) {
  const { t, language } = useSpeech();
  return (
    <li className="record">
      <p><Chip tone={record.ok ? 'good' : 'bad'}>{t(record.ok ? 'domain.fine' : 'domain.missing')}</Chip> <b>{t(`domain.${kindOf(record)}`)}</b> <span className="mono">{record.type} {record.name}</span></p>
      {record.advice && <p>{record.advice[language]}</p>}
      {record.found && <p className="note">{t('domain.found')} <span className="mono">{record.found}</span></p>}
      {!record.ok && kindOf(record) === 'spf' && <p className="note">{t('domain.expected')} <span className="mono">{record.expected}</span></p>}
      {!record.ok && kindOf(record) === 'dkim' && <Copy label={`${record.type} ${record.name}`} text={record.expected} />}
    </li>
  );
}

const kindOf = ({ type, name }: { type: string; name: string }): 'spf' | 'dkim' | 'dmarc' | 'mx' =>
  type === 'MX' ? 'mx' : name.includes('._domainkey.') ? 'dkim' : name.startsWith('_dmarc.') ? 'dmarc' : 'spf';
