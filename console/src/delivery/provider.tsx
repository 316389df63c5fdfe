import { useState } from 'react';
import { useSpeech } from '../i18n';
import { useLoad } from '../load';
import { Chip } from '../parts/figures';
import { Page, Panel } from '../parts/page';
import { Empty, Loading, Problem } from '../parts/state';
import { useQuery } from '../router';
import { useWorkspace } from '../session';
import { delivery, type Provider as Set, type Warning } from './api';
import { Copy } from './copy';
import { DomainCheck } from './domain-check';
import { Resting } from './resting';
import { SettingsForm } from './settings-form';
import { restOf } from './standing';
import { TestMessage } from './test-message';
import { Today } from './today';
import '../style/delivery.css';

/** One provider: how it stands, what to put elsewhere, and its settings. */
export default function Provider({ name }: { name: string }) {
  const { t, maybe } = useSpeech();
  const space = useWorkspace();
  const [begun] = useState(useQuery().get('new')); // saving takes `new` out of the address
  const [saved, setSaved] = useState<Set>();
  const kinds = useLoad('provider kinds', (signal) => delivery.kinds(signal));
  const { data, problem, reload } = useLoad(begun && !saved ? null : `provider ${space.id} ${name}`, (signal) => delivery.provider(name, signal));
  const provider = data ?? saved;
  const kind = kinds.data?.items.find((one) => one.kind === (provider?.kind ?? begun));
  const shownKind = provider?.kind ?? begun ?? '';
  return (
    <Page title={name} back={{ to: '/delivery', name: t('delivery.title') }} actions={<span className="card-tags">{(provider ?? kind) && <Chip tone="accent">{maybe(`channel.${provider?.channel ?? kind?.channel}`, provider?.channel ?? kind?.channel ?? t('channels.any'))}</Chip>}{shownKind && <Chip>{maybe(`kind.${shownKind}`, shownKind)}</Chip>}</span>}>
      {(problem ?? kinds.problem) && <Problem of={(problem ?? kinds.problem) as NonNullable<typeof problem>} again={() => { reload(); kinds.reload(); }} compact={provider !== undefined} />}
      {!(kinds.data && (provider || begun)) && !problem && !kinds.problem && <Loading rows={8} />}
      {kinds.data && !kind && (begun || provider) && <Empty title={t('provider.no_kind')}>{t('provider.no_kind.text')}</Empty>}
      {provider && <Standing provider={provider} made={saved?.made} />}
      {kind && (provider || begun) && (
        <Panel title={t(provider ? 'provider.settings' : 'provider.new')} note={provider ? undefined : maybe(`kind.${kind.kind}.needs`, t('provider.new.text'))}>
          <SettingsForm key={kind.kind} name={name} kind={kind} provider={provider} saved={(set) => { setSaved(set); reload(); }} />
        </Panel>
      )}
      {provider && <TestMessage provider={provider} />}
      {provider?.channel === 'email' && typeof provider.settings.from === 'string' && <DomainCheck provider={provider} />}
    </Page>
  );
}

function Standing({ provider, made }: { provider: Set; made: Set['made'] }) {
  const { t, maybe } = useSpeech();
  const said = (one: Warning): string => maybe(`warning.${one.code}`, maybe(`warning.${one.code}.${one.pointer.split('/').pop()}`, one.message));
  const space = useWorkspace();
  const sending = useLoad(`sending ${space.id}`, (signal) => delivery.sending(signal), 5000).data;
  const rest = sending && restOf(provider, sending);
  const secrets = Object.entries(made ?? {});
  return (
    <>
      {rest && <Panel title={t('provider.rests')}><Resting rest={rest} /></Panel>}
      {secrets.length > 0 && (
        <Panel title={t('provider.made')} note={t('provider.made.text')}>
          {secrets.map(([key, value]) => <Copy key={key} label={key} text={String(value)} />)}
        </Panel>
      )}
      {provider.warnings.length > 0 && <Panel title={t('provider.warnings')}><ul className="plain-list">{provider.warnings.map((one) => <li key={one.pointer + one.message}>{said(one)}<small className="mono"> {one.pointer}</small></li>)}</ul></Panel>}
      {provider.today && <Today today={provider.today} plan={provider.warm_up} />}
      {provider.reports_url && <Panel title={t('provider.reports')} note={t('provider.reports.text')}><Copy label={t('provider.reports')} text={provider.reports_url} /></Panel>}
      {provider.dns.length > 0 && (
        <Panel title={t('provider.dns')} note={t('provider.dns.text')}>
          {provider.dns.map((one) => <div key={one.name} className="record"><p><b>{one.type}</b> <span className="mono">{one.name}</span></p><Copy label={`${one.type} ${one.name}`} text={one.value} /></div>)}
        </Panel>
      )}
    </>
  );
}
