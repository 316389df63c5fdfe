import { SegmentedControl } from '@mantine/core';
import { useMemo, useState } from 'react';
import { number } from '../../format';
import { useSpeech } from '../../i18n';
import { nonce } from '../../nonce';
import { harmless } from '../../outbox/harmless';
import type { Shown } from '../preview';
import { Face, Phone, Scaled } from './device';

const DESK = { width: 720, height: 640 };

/** A mail as a mail program shows it: on a desk, on a phone, and to those who read text. */
export function MailFrame({ shown, isPlain, isMail }: { shown: Shown; isPlain: boolean; isMail: boolean }) {
  const { t, language } = useSpeech();
  const [view, setView] = useState(() => window.matchMedia('(max-width: 900px)').matches ? 'phone' : 'desk');
  const page = useMemo(() => harmless(isPlain ? `<pre>${escaped(shown.body)}</pre>` : shown.body, t('outbox.image'), nonce), [shown.body, isPlain, t]);
  const body = <iframe title={t('preview.mail')} sandbox="" srcDoc={page} referrerPolicy="no-referrer" />;
  const size = new TextEncoder().encode(shown.body).length / 1000;
  return (
    <>
      <SegmentedControl size="xs" aria-label={t('preview.device')} value={view} onChange={setView} data={['desk', 'phone', 'text'].map((one) => ({ value: one, label: t(`preview.${one}` as 'preview.desk') }))} />
      {view === 'desk' && (
        <Scaled {...DESK}>
          <div className="window">
            <p className="window-bar" aria-hidden="true"><i /><i /><i /></p>
            {isMail && <Head shown={shown} />}
            {body}
          </div>
        </Scaled>
      )}
      {view === 'phone' && <Phone kind="mail">{isMail && <Head shown={shown} />}{body}</Phone>}
      {view === 'text' && <pre className="mail-text" tabIndex={0}>{shown.text}</pre>}
      <p className="note">{t('preview.mail.size', { size: number(size, language, 1) })} {t('outbox.safe')}</p>
    </>
  );
}

function Head({ shown }: { shown: Shown }) {
  const { t } = useSpeech();
  const name = shown.from.replace(/<.*>/, '').trim() || shown.from;
  return (
    <header className="mail-head">
      <p className="mail-subject">{shown.subject || t('outbox.no_subject')}</p>
      <div><Face name={name} /><p><b>{name}</b>{name !== shown.from && <span>{/<(.*)>/.exec(shown.from)?.[1]}</span>}<small>{t('preview.to', { to: shown.to || '—' })}</small></p></div>
    </header>
  );
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
