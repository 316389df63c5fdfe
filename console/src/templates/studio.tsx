import { Button, SegmentedControl } from '@mantine/core';
import { type KeyboardEvent, useState } from 'react';
import { api, Problem as Failure, type TemplateDocument } from '../api';
import { time } from '../format';
import { useSpeech } from '../i18n';
import { Problem } from '../parts/state';
import { navigate, to, useUnsaved } from '../router';
import { useWorkspace } from '../session';
import { channelOf, localesOf } from './draft';
import { Editor } from './editor';
import { Preview } from './preview';
import { useRendered } from './rendered';
import { TestSend } from './test-send';
import type { Whom } from './whom';

/** Where a template is written, with what it will look like beside it. */
export function Studio({ name, start, version, publishedAt }: { name: string; start: TemplateDocument; version: number; publishedAt: string | null }) {
  const { t, language } = useSpeech();
  const space = useWorkspace();
  const [draft, setDraft] = useState(start);
  const [saved, setSaved] = useState({ document: JSON.stringify(start), version, at: publishedAt, notices: [] as string[] });
  const [problem, setProblem] = useState<Failure>();
  const [busy, setBusy] = useState(false);
  const [locale, setLocale] = useState('');
  const [whom, setWhom] = useState<Whom>({});
  const [side, setSide] = useState('write');
  const seen = useRendered(draft, whom, locale);
  const unsaved = JSON.stringify(draft) !== saved.document;
  useUnsaved(unsaved, t('template.leave'));

  const change = (next: TemplateDocument): void => {
    setDraft(next);
    setProblem(undefined);
  };
  const save = async (): Promise<void> => {
    if (busy) return;
    setBusy(true);
    setProblem(undefined);
    try {
      const answer = await api.putTemplate(name, draft);
      setSaved({ document: JSON.stringify(draft), version: answer.version, at: null, notices: answer.warnings ?? [] });
      navigate(to('templates', name), true);
    } catch (error) {
      const failure = error instanceof Failure ? error : new Failure(0, 'error', String(error));
      setProblem(failure);
      setSide('write');
      setLocale(localeOf(failure, draft) ?? locale);
    }
    setBusy(false);
  };
  const byKey = (event: KeyboardEvent): void => {
    if (event.key !== 's' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    void save();
  };

  return (
    <div className={`studio studio-${side}`} onKeyDown={byKey}>
      <div className="studio-bar">
        <SegmentedControl className="studio-sides" size="sm" aria-label={t('template.side')} value={side} onChange={setSide} data={[{ value: 'write', label: t('template.write') }, { value: 'look', label: t('template.look') }]} />
        <p role="status" className="studio-state">
          {unsaved ? t('template.unsaved') : saved.version === 0 ? t('template.not_yet') : saved.at ? t('template.published', { n: saved.version, when: time(saved.at, language, space.zone) }) : t('template.saved', { n: saved.version })}
        </p>
        <Button onClick={() => void save()} loading={busy} disabled={!unsaved && saved.version > 0}>{t('template.save')}</Button>
      </div>
      {problem && <div className="studio-fault"><Problem of={problem} compact /></div>}
      {saved.notices.length > 0 && !unsaved && <ul className="plain-list studio-fault">{saved.notices.map((notice) => <li key={notice}>{notice}</li>)}</ul>}
      <Editor draft={draft} change={change} locale={locale} choose={setLocale} errors={[...(problem?.errors ?? []), ...(seen.problem?.errors ?? [])]} whom={whom} />
      <Preview draft={draft} seen={seen} whom={whom} choose={setWhom}>
        {channelOf(draft) === 'email' && <TestSend name={name} whom={whom} disabled={unsaved || saved.version === 0} />}
      </Preview>
    </div>
  );
}

/** The locale whose wording a refusal is about. */
function localeOf(problem: Failure, draft: TemplateDocument): string | undefined {
  const pointer = problem.errors[0]?.pointer;
  if (pointer === undefined) return undefined;
  return localesOf(draft).find((locale) => pointer.startsWith(`/locales/${locale.replace('_', '-').toLowerCase()}`)) ?? '';
}
