import { Button, PasswordInput, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { api, Problem as Failure } from '../api';
import { useSpeech } from '../i18n';
import { Problem } from '../parts/state';
import { useSession } from '../session';
import { Door } from './door';

export function SignIn() {
  const { t } = useSpeech();
  const { begin } = useSession();
  const [who, setWho] = useState({ email: '', password: '' });
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Failure>();
  const wrong = { email: who.email.includes('@') ? undefined : t('setup.email.wrong'), password: who.password ? undefined : t('signin.password.missing') };

  const go = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setTried(true);
    if (wrong.email || wrong.password) return;
    setBusy(true);
    setProblem(undefined);
    try {
      await api.signIn({ email: who.email.trim(), password: who.password });
      await begin(true);
    } catch (error) {
      const failure = error instanceof Failure ? error : new Failure(0, 'offline', '');
      setProblem(failure.status === 401 ? new Failure(401, 'wrong', t('problem.sign_in')) : failure);
      setBusy(false);
    }
  };
  return (
    <Door title={t('signin.title')} lead={t('signin.lead')}>
      <form onSubmit={(event) => void go(event)} noValidate>
        <TextInput name="email" type="email" label={t('setup.email')} autoComplete="username" value={who.email} onChange={(event) => setWho({ ...who, email: event.currentTarget.value })} error={tried && wrong.email} />
        <PasswordInput name="password" label={t('setup.password')} autoComplete="current-password" value={who.password} onChange={(event) => setWho({ ...who, password: event.currentTarget.value })} error={tried && wrong.password} />
        {problem && <Problem of={problem} compact />}
        <Button type="submit" size="md" fullWidth loading={busy}>{t('signin.go')}</Button>
      </form>
    </Door>
  );
}
