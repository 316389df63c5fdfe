import { Button } from '@mantine/core';
import { useState } from 'react';
import { api, Problem as Failure } from '../api';
import { useSpeech } from '../i18n';
import { Problem } from '../parts/state';
import { useSession } from '../session';
import type { Whom } from './whom';

/** Sends what is published, as a real mail, to whoever is signed in; written for the customer it is looked at as. */
export function TestSend({ name, whom, disabled }: { name: string; whom: Whom; disabled: boolean }) {
  const { t } = useSpeech();
  const { me } = useSession();
  const [said, setSaid] = useState('');
  const [problem, setProblem] = useState<Failure>();
  const [busy, setBusy] = useState(false);
  if (!me) return null;
  const send = async (): Promise<void> => {
    setBusy(true);
    setSaid('');
    setProblem(undefined);
    try {
      await api.testTemplate(name, { to: [me.email], profile: whom.profile?.id, data: whom.data });
      setSaid(t('template.test.sent', { to: me.email }));
    } catch (error) {
      setProblem(error instanceof Failure ? error : new Failure(0, 'error', String(error)));
    }
    setBusy(false);
  };
  return (
    <div className="test-send">
      <Button size="xs" variant="default" loading={busy} disabled={disabled} onClick={() => void send()}>{t('template.test')}</Button>
      <p role="status" className="note">{disabled ? t('template.test.publish') : said}</p>
      {problem && <Problem of={problem} compact />}
    </div>
  );
}
