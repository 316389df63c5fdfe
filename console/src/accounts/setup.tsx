import { Button, PasswordInput, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { api, Problem as Failure } from '../api';
import { useSpeech } from '../i18n';
import { Problem } from '../parts/state';
import { Link, navigate, useQuery } from '../router';
import { useSession } from '../session';
import { Door } from './door';

const LEAST = 15;

/** The one-time page of the set-up link: it makes the first owner. */
export function Setup() {
  const { t } = useSpeech();
  const { needsSetup, begin } = useSession();
  const token = useQuery().get('token') ?? '';
  const [owner, setOwner] = useState({ name: '', email: '', password: '' });
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Failure>();

  const wrong = {
    name: owner.name.trim() ? undefined : t('setup.name.missing'),
    email: /^\S+@\S+\.\S+$|^\S+@localhost$/.test(owner.email.trim()) ? undefined : t('setup.email.wrong'),
    password: [...owner.password].length >= LEAST ? undefined : t('setup.password.short', { n: LEAST - [...owner.password].length }),
  };
  const go = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setTried(true);
    if (wrong.name || wrong.email || wrong.password) return;
    setBusy(true);
    setProblem(undefined);
    try {
      await api.setup({ token, name: owner.name.trim(), email: owner.email.trim(), password: owner.password });
      navigate('/', true);
      await begin(true);
    } catch (error) {
      setProblem(error instanceof Failure ? error : new Failure(0, 'offline', ''));
    }
    setBusy(false);
  };

  if (!needsSetup) return <Door title={t('setup.title')} lead={t('setup.done')}><Link to="/" className="button-link" onClick={() => void begin()}>{t('signin.go')}</Link></Door>;
  if (!token) return <Door title={t('setup.title')} lead={t('setup.need_link')}>{null}</Door>;
  return (
    <Door title={t('setup.title')} lead={t('setup.lead')}>
      <form onSubmit={(event) => void go(event)} noValidate>
        <TextInput name="name" label={t('setup.name')} autoComplete="name" required withAsterisk={false} value={owner.name} onChange={(event) => setOwner({ ...owner, name: event.currentTarget.value })} error={tried && wrong.name} />
        <TextInput name="email" type="email" label={t('setup.email')} autoComplete="username" required withAsterisk={false} value={owner.email} onChange={(event) => setOwner({ ...owner, email: event.currentTarget.value })} error={tried && wrong.email} />
        <PasswordInput name="password" label={t('setup.password')} description={t('setup.password.hint')} autoComplete="new-password" required withAsterisk={false} value={owner.password} onChange={(event) => setOwner({ ...owner, password: event.currentTarget.value })} error={tried && wrong.password} />
        {problem && <Problem of={problem} compact />}
        <Button type="submit" size="md" fullWidth loading={busy}>{t('setup.go')}</Button>
      </form>
    </Door>
  );
}
