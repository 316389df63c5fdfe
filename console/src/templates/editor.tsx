import { Button, NativeSelect, Tabs, Textarea, TextInput } from '@mantine/core';
import { type FormEvent, useRef, useState } from 'react';
import type { Json, TemplateDocument } from '../api';
import { useSpeech } from '../i18n';
import { channelOf, CHANNELS, fields, formatOf, formatsOf, hasSubject, isInPage, localesOf, onChannel, placeOf, pointerOf, readAt, text, writeAt } from './draft';
import { InPageFields } from './in-page-fields';
import type { Whom } from './whom';

interface Fault { pointer: string; message: string }
export interface Field { value: (path: string[]) => Json | undefined; set: (path: string[], value: Json | undefined) => void; fault: (path: string[]) => string | undefined }

interface Props { draft: TemplateDocument; change: (draft: TemplateDocument) => void; locale: string; choose: (locale: string) => void; errors: Fault[]; whom: Whom }

/** The fields of a template: what it is, then its wordings, one tab a language. */
export function Editor({ draft, change, locale, choose, errors, whom }: Props) {
  const { t, maybe } = useSpeech();
  const channel = channelOf(draft);
  const forms = formatsOf(channel);
  const field: Field = {
    value: (path) => readAt(draft, path),
    set: (path, value) => change(writeAt(draft, path, value)),
    fault: (path) => errors.find((one) => one.pointer.toLowerCase() === pointerOf(path).toLowerCase())?.message,
  };
  const remove = (gone: string): void => {
    const left = writeAt(draft, ['locales', gone], undefined);
    change(localesOf(left).length ? left : writeAt(left, ['locales'], undefined));
    choose('');
  };
  return (
    <section className="panel editor" aria-label={t('template.write')}>
      <div className="editor-row">
        <NativeSelect label={t('templates.channel')} value={channel} error={field.fault(['channel'])} onChange={(event) => change(onChannel(draft, event.currentTarget.value))} data={[...new Set([...CHANNELS, channel])].map((one) => ({ value: one, label: maybe(`channel.${one}`, one) }))} />
        {forms.length > 1 && <NativeSelect label={t('template.format')} value={formatOf(draft)} error={field.fault(['format'])} onChange={(event) => field.set(['format'], event.currentTarget.value)} data={forms.map((one) => ({ value: one, label: t(`format.${one}` as 'format.liquid+html') }))} />}
        {channel === 'email' && <NativeSelect label={t('template.class')} value={text(draft.class) || 'commercial'} error={field.fault(['class'])} onChange={(event) => field.set(['class'], event.currentTarget.value)} data={['commercial', 'transactional'].map((one) => ({ value: one, label: t(`class.${one}` as 'class.commercial') }))} />}
      </div>
      <Tabs value={locale || 'default'} onChange={(tab) => choose(tab === 'default' || tab === null ? '' : tab)} keepMounted={false}>
        <div className="editor-tabs">
          <Tabs.List aria-label={t('template.languages')}>
            <Tabs.Tab value="default">{t('template.default')}</Tabs.Tab>
            {localesOf(draft).map((one) => <Tabs.Tab key={one} value={one} lang={one}>{named(one)}</Tabs.Tab>)}
          </Tabs.List>
          <AddLocale taken={localesOf(draft)} add={(one) => { field.set(['locales', one], { ...(hasSubject(channel) ? { subject: text(draft.subject) } : {}), body: text(draft.body) }); choose(one); }} />
        </div>
        <Tabs.Panel value={locale || 'default'}>
          <Wording key={locale} field={field} draft={draft} locale={locale} whom={whom} />
          {locale && <button type="button" className="link" onClick={() => remove(locale)}>{t('template.locale.remove', { locale: named(locale) })}</button>}
        </Tabs.Panel>
      </Tabs>
      {channel === 'push' && (
        <div className="editor-row">
          {(['url', 'image', 'icon'] as const).map((name) => <TextInput key={name} label={t(`template.push.${name}`)} value={text(readAt(draft, ['push', name]))} error={field.fault(['push', name])} onChange={(event) => setPush(field, draft, name, event.currentTarget.value)} />)}
        </div>
      )}
    </section>
  );
}

function setPush(field: Field, draft: TemplateDocument, name: string, value: string): void {
  const push = writeAt(fields(draft.push), [name], value || undefined);
  field.set(['push'], Object.keys(push).length ? push : undefined);
}

function Wording({ field, draft, locale, whom }: { field: Field; draft: TemplateDocument; locale: string; whom: Whom }) {
  const { t } = useSpeech();
  const channel = channelOf(draft);
  const place = placeOf(locale);
  const body = useRef<HTMLTextAreaElement>(null);
  const own = (name: string): string => text(field.value([...place, name]) ?? (locale ? draft[name] : undefined));
  const write = (name: string) => (event: { currentTarget: { value: string } }): void => field.set([...place, name], event.currentTarget.value);
  const insert = (said: string): void => {
    const area = body.current;
    if (!area) return;
    const at = area.selectionStart;
    field.set([...place, 'body'], area.value.slice(0, at) + said + area.value.slice(area.selectionEnd));
    requestAnimationFrame(() => { area.focus(); area.setSelectionRange(at + said.length, at + said.length); });
  };
  return (
    <div className="wording" lang={locale || undefined}>
      {hasSubject(channel) && <TextInput label={t(channel === 'email' || channel === 'letter' ? 'template.subject' : 'template.title')} value={own('subject')} error={field.fault([...place, 'subject'])} onChange={write('subject')} />}
      <p className="label-with"><label htmlFor="template-body">{t('template.body')}</label><Insert whom={whom} channel={channel} insert={insert} /></p>
      <Textarea ref={body} id="template-body" className="code" rows={channel === 'email' || channel === 'block' ? 18 : 10} spellCheck={false}
        description={channel === 'line' || channel === 'whatsapp' ? t(`template.body.${channel}`) : undefined}
        value={own('body')} error={field.fault([...place, 'body'])} onChange={write('body')} />
      {isInPage(channel) && <InPageFields field={field} draft={draft} place={place} channel={channel} />}
      {channel === 'email' && formatOf(draft) !== 'liquid+text' && (
        <details open={own('text') !== '' || undefined}>
          <summary>{t('template.text')}</summary>
          <Textarea className="code" rows={6} aria-label={t('template.text')} description={t('template.text.help')} value={own('text')} error={field.fault([...place, 'text'])} onChange={(event) => field.set([...place, 'text'], event.currentTarget.value || undefined)} />
        </details>
      )}
    </div>
  );
}

/** What a template may say of this customer and event, put in where the cursor stands. */
function Insert({ whom, channel, insert }: { whom: Whom; channel: string; insert: (said: string) => void }) {
  const { t } = useSpeech();
  const traits = Object.keys(fields(whom.profile?.traits)).slice(0, 40).map((name) => `profile.traits.${name}`);
  const properties = Object.keys(fields(fields(whom.event).properties)).slice(0, 40).map((name) => `event.properties.${name}`);
  const links = channel === 'email' ? ['message.unsubscribe_url', 'message.preferences_url', 'message.view_url'] : [];
  const options = [...(traits.length ? traits : ['profile.traits.name']), ...properties, ...links, 'workspace.name'];
  return <NativeSelect size="xs" className="insert" aria-label={t('template.insert')} value="" onChange={(event) => insert(`{{ ${event.currentTarget.value} }}`)} data={[{ value: '', label: t('template.insert') }, ...options]} />;
}

/** `ja` in its own words: 日本語. */
export function named(locale: string): string {
  try {
    return new Intl.DisplayNames([locale], { type: 'language' }).of(locale) ?? locale;
  } catch { return locale; }
}

function AddLocale({ taken, add }: { taken: string[]; add: (locale: string) => void }) {
  const { t } = useSpeech();
  const [open, setOpen] = useState(false);
  const [typed, setTyped] = useState('');
  const [fault, setFault] = useState('');
  if (!open) return <Button size="xs" variant="default" onClick={() => setOpen(true)}>{t('template.locale.add')}</Button>;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const locale = canonical(typed);
    if (!locale) return setFault(t('template.locale.wrong'));
    if (taken.includes(locale)) return setFault(t('template.locale.taken'));
    setOpen(false);
    setTyped('');
    add(locale);
  };
  return (
    <form className="add-locale" onSubmit={submit}>
      <TextInput size="xs" autoFocus list="locales" aria-label={t('template.locale.which')} placeholder="ja" value={typed} error={fault} onChange={(event) => { setTyped(event.currentTarget.value); setFault(''); }} />
      <datalist id="locales">{['ja', 'en', 'de', 'fr', 'es', 'it', 'pt-BR', 'ko', 'zh-Hans', 'zh-Hant'].map((one) => <option key={one} value={one}>{named(one)}</option>)}</datalist>
      <Button size="xs" type="submit" variant="default">{t('template.locale.go')}</Button>
    </form>
  );
}

function canonical(typed: string): string | undefined {
  try {
    return Intl.getCanonicalLocales(typed.trim().replace('_', '-'))[0];
  } catch { return undefined; }
}
