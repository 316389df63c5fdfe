import { Button } from '@mantine/core';
import { useState } from 'react';
import { useSpeech } from '../i18n';

/** Text that goes elsewhere: shown whole, and copied by one press. */
export function Copy({ label, text }: { label: string; text: string }) {
  const { t } = useSpeech();
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
    } catch { setCopied(false); } // no permission: it can be selected
  };
  return (
    <div className="copy">
      <code tabIndex={0} aria-label={label}>{text}</code>
      <Button size="xs" variant="default" onClick={() => void copy()} aria-label={`${t('copy')}: ${label}`}>{t('copy')}</Button>
      <span role="status" className="note">{copied && t('copied')}</span>
    </div>
  );
}
