import { Button, Textarea, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useAct } from '../act';
import { useSpeech } from '../i18n';
import { Problem } from '../parts/state';
import { useUnsaved } from '../router';
import { useWorkspace } from '../session';
import { calls, type Taken } from './api';
import { OUTCOMES, type OutcomeName, tomorrow } from './outcomes';

/** What came of it. One of many, a note, and on to the next. */
export function Conclude({ entry, concluded }: { entry: Taken; concluded: (words: string, goOn: boolean) => Promise<void> }) {
  const { t } = useSpeech();
  const space = useWorkspace();
  const [outcome, setOutcome] = useState<OutcomeName>();
  const [note, setNote] = useState('');
  const [at, setAt] = useState(() => tomorrow(new Date(space.clock === 'test' ? space.now : Date.now())));
  const { busy, problem, act } = useAct();
  useUnsaved(note.trim() !== '', t('call.leave'));
  const say = (goOn: boolean): Promise<void> => act(async () => {
    if (!outcome) return;
    const callback_at = outcome === 'callback_at' && at ? new Date(at).toISOString() : undefined;
    await calls.conclude(entry.id, { outcome, note: note.trim(), callback_at });
    await concluded(t('call.saved', { name: entry.name || t('profiles.anonymous'), outcome: t(`outcome.${outcome}`) }), goOn);
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void say(true);
  };
  return (
    <form className="conclude" onSubmit={submit}>
      <fieldset className="outcomes">
        <legend>{t('call.outcome')}</legend>
        {OUTCOMES.map((name) => (
          <label key={name} className={`outcome outcome-${name}`}>
            <input type="radio" name="outcome" value={name} checked={outcome === name} onChange={() => setOutcome(name)} />
            <span><b>{t(`outcome.${name}`)}</b><small>{t(`outcome.${name}.means`)}</small></span>
          </label>
        ))}
      </fieldset>
      {outcome === 'callback_at' && <TextInput type="datetime-local" label={t('call.callback_at')} value={at} required onChange={(event) => setAt(event.currentTarget.value)} />}
      <Textarea label={t('call.note')} description={t('call.note.help')} rows={3} maxLength={2000} value={note} onChange={(event) => setNote(event.currentTarget.value)} />
      {problem && <Problem of={problem} compact />}
      <div className="conclude-go">
        <Button type="submit" loading={busy} disabled={!outcome}>{t('call.save_next')}</Button>
        <Button variant="default" disabled={!outcome || busy} onClick={() => void say(false)}>{t('call.save')}</Button>
      </div>
    </form>
  );
}
