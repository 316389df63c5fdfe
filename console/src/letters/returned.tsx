import { Button, Textarea, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useAct } from '../act';
import { number } from '../format';
import { useSpeech } from '../i18n';
import { Panel } from '../parts/page';
import { Problem } from '../parts/state';
import { letters } from './api';

/** The post brought letters back: their codes, as they are typed or scanned. */
export function Returned({ changed }: { changed: () => void }) {
  const { t, language } = useSpeech();
  const [typed, setTyped] = useState('');
  const [reason, setReason] = useState('');
  const [said, setSaid] = useState<{ taken: number; unknown: string[] }>();
  const { busy, problem, act } = useAct();
  const codes = [...new Set(typed.split(/[\n,;]+/).map((code) => code.trim()).filter(Boolean))];
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void act(async () => {
      const answer = await letters.returned(codes, reason.trim());
      setSaid(answer);
      setTyped(answer.unknown.join('\n')); // what was not known stays, to be looked at again
      changed();
    });
  };
  return (
    <Panel title={t('letters.back')} note={t('letters.back.text')}>
      <form className="stack" onSubmit={submit}>
        <Textarea className="code" rows={5} label={t('letters.back.codes')} placeholder={'K7QM-2XRT-9PW\nH3CD-8MNV-4TY'} value={typed} spellCheck={false} onChange={(event) => setTyped(event.currentTarget.value)} />
        <TextInput label={t('letters.back.reason')} placeholder={t('letters.back.reason.as')} value={reason} maxLength={500} onChange={(event) => setReason(event.currentTarget.value)} />
        {problem && <Problem of={problem} compact />}
        {said && <p role="status" className={said.unknown.length ? 'said said-bad' : 'said'}>{t('letters.back.taken', { n: number(said.taken, language) })}{said.unknown.length > 0 && ` ${t('letters.back.unknown', { codes: said.unknown.join(', ') })}`}</p>}
        <Button type="submit" variant="default" loading={busy} disabled={codes.length === 0}>{t('letters.back.go', { n: codes.length })}</Button>
      </form>
    </Panel>
  );
}
