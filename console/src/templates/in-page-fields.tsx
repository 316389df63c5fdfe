import { Button, NativeSelect, TextInput } from '@mantine/core';
import type { Json, TemplateDocument } from '../api';
import { useSpeech } from '../i18n';
import { fields, list, readAt, text, writeAt } from './draft';
import type { Field } from './editor';

const MOST_BUTTONS = 5;
const LAYOUTS = ['modal', 'slide_up', 'full'];
const POSITIONS = ['top', 'bottom', 'top_left', 'top_right', 'bottom_left', 'bottom_right'];

/** Image, link, buttons and display of a message that is shown in a page. */
export function InPageFields({ field, draft, place, channel }: { field: Field; draft: TemplateDocument; place: string[]; channel: string }) {
  const { t } = useSpeech();
  const own = (name: string): Json | undefined => readAt(draft, [...place, name]) ?? draft[name];
  const display = fields(own('display'));
  const buttons = list(own('buttons')).map(fields);
  const show = (name: string, value: Json): void => field.set([...place, 'display'], { ...display, [name]: value });
  const setButtons = (next: Json[]): void => field.set([...place, 'buttons'], next.length ? next : undefined);
  return (
    <>
      <div className="editor-row">
        {(['image', 'url'] as const).map((name) => <TextInput key={name} label={t(`template.page.${name}`)} placeholder="https://" value={text(own(name))} error={field.fault([...place, name])} onChange={(event) => field.set([...place, name], event.currentTarget.value || undefined)} />)}
      </div>
      <fieldset className="buttons">
        <legend>{t('template.buttons')}</legend>
        {buttons.map((button, index) => (
          <div key={index} className="editor-row">
            {(['label', 'url', 'event'] as const).map((name) => (
              <TextInput key={name} size="sm" label={t(`template.button.${name}`)} value={text(button[name])} error={field.fault([...place, 'buttons', String(index)]) ?? field.fault([...place, 'buttons', String(index), name])}
                onChange={(event) => setButtons(buttons.map((one, at) => at === index ? writeAt(one, [name], name === 'label' ? event.currentTarget.value : event.currentTarget.value || undefined) : one))} />
            ))}
            <Button size="xs" variant="default" aria-label={t('template.button.remove', { n: index + 1 })} onClick={() => setButtons(buttons.filter((_, at) => at !== index))}>×</Button>
          </div>
        ))}
        {buttons.length < MOST_BUTTONS && <Button size="xs" variant="default" onClick={() => setButtons([...buttons, { label: t('template.button.sample') }])}>{t('template.button.add')}</Button>}
      </fieldset>
      {channel === 'in_app' && (
        <div className="editor-row">
          <NativeSelect label={t('template.layout')} value={text(display.layout) || 'modal'} error={field.fault([...place, 'display', 'layout'])} onChange={(event) => show('layout', event.currentTarget.value)} data={LAYOUTS.map((one) => ({ value: one, label: t(`layout.${one}` as 'layout.modal') }))} />
          {display.layout === 'slide_up' && <NativeSelect label={t('template.position')} value={text(display.position) || 'bottom'} error={field.fault([...place, 'display', 'position'])} onChange={(event) => show('position', event.currentTarget.value)} data={POSITIONS.map((one) => ({ value: one, label: t(`position.${one}` as 'position.top') }))} />}
        </div>
      )}
      {channel === 'banner' && <TextInput label={t('template.place')} value={text(display.place)} error={field.fault([...place, 'display', 'place'])} onChange={(event) => show('place', event.currentTarget.value)} />}
    </>
  );
}
