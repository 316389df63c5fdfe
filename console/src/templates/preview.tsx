import type { ReactNode } from 'react';
import { api, type TemplateDocument } from '../api';
import { mailOf, nameOf, number } from '../format';
import { useSpeech } from '../i18n';
import { useLoad } from '../load';
import { Loading, Problem } from '../parts/state';
import { useWorkspace } from '../session';
import { channelOf, formatOf, isInPage, text } from './draft';
import { named } from './editor';
import { CallFrame } from './frames/call';
import { InPageFrame } from './frames/in-page';
import { LetterFrame } from './frames/letter';
import { LineFrame } from './frames/line';
import { MailFrame } from './frames/mail';
import { PushFrame } from './frames/push';
import { SmsFrame } from './frames/sms';
import { WhatsAppFrame } from './frames/whatsapp';
import type { Seen } from './rendered';
import { useWarnings } from './warnings';
import { AsWhom, type Whom } from './whom';

/** What every frame is given: the rendered message, from whom, to whom. */
export interface Shown { subject: string; body: string; text: string; from: string; to: string; whom: Whom; rendered: NonNullable<Seen['rendered']> }

/** What the message will look like on its channel, for the customer it is looked at as. */
export function Preview({ draft, seen, whom, choose, children }: { draft: TemplateDocument; seen: Seen; whom: Whom; choose: (whom: Whom) => void; children?: ReactNode }) {
  const { t } = useSpeech();
  const { rendered, problem, busy } = seen;
  return (
    <section className="panel preview" aria-label={t('template.look')}>
      <AsWhom whom={whom} choose={choose} />
      {problem && <Problem of={problem} compact />}
      <Warnings seen={seen} />
      {!rendered && !problem && <Loading rows={6} />}
      {rendered?.aborted && <p className="aborted">{t('preview.aborted', { reason: rendered.aborted })}</p>}
      {rendered && !rendered.aborted && (
        <div className={busy || problem ? 'frame frame-old' : 'frame'} data-channel={channelOf(draft)}>
          <Frame draft={draft} rendered={rendered} whom={whom} />
        </div>
      )}
      {rendered?.locale && rendered.locale !== 'default' && <p className="note">{t('preview.locale', { locale: named(rendered.locale) })}</p>}
      {children}
    </section>
  );
}

function Warnings({ seen: { rendered } }: { seen: Seen }) {
  const { t, language } = useSpeech();
  const say = useWarnings();
  const warnings = rendered?.warnings ?? [];
  return (
    <div role="status" className={warnings.length ? 'warnings warnings-some' : 'warnings'}>
      {rendered && <p>{warnings.length ? t(warnings.length === 1 ? 'preview.warnings.one' : 'preview.warnings', { n: number(warnings.length, language) }) : t('preview.no_warnings')}</p>}
      {warnings.length > 0 && <ul className="plain-list">{warnings.map((warning) => <li key={warning}>{say(warning)}</li>)}</ul>}
    </div>
  );
}

function Frame({ draft, rendered, whom }: { draft: TemplateDocument; rendered: NonNullable<Seen['rendered']>; whom: Whom }): ReactNode {
  const { t } = useSpeech();
  const space = useWorkspace();
  const providers = useLoad(`providers ${space.id}`, (signal) => api.providers(signal)).data?.items;
  const channel = channelOf(draft);
  const from = text(providers?.find((one) => one.channel === 'email' && one.settings?.from)?.settings?.from) || space.name;
  const shown: Shown = {
    subject: rendered.content.subject ?? '', body: rendered.content.body, text: rendered.text ?? rendered.content.body, rendered, whom,
    from: channel === 'email' ? from : space.name,
    to: whom.profile ? mailOf(whom.profile) || nameOf(whom.profile, t('profiles.anonymous')) : '',
  };
  if (isInPage(channel)) return <InPageFrame shown={shown} channel={channel} />;
  switch (channel) {
    case 'sms': return <SmsFrame shown={shown} />;
    case 'push': return <PushFrame shown={shown} />;
    case 'line': return <LineFrame shown={shown} />;
    case 'whatsapp': return <WhatsAppFrame shown={shown} />;
    case 'letter': return <LetterFrame shown={shown} />;
    case 'call': return <CallFrame shown={shown} />;
    default: return <MailFrame shown={shown} isPlain={formatOf(draft) === 'liquid+text'} isMail={channel === 'email'} />;
  }
}
