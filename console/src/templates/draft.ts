/** A template while it is written: reading and changing its document, field by field. */
import type { Fields, Json, TemplateDocument, TemplateRow } from '../api';

export const CHANNELS = ['email', 'sms', 'push', 'line', 'whatsapp', 'in_app', 'card', 'banner', 'inbox', 'letter', 'call', 'block'];
const PLAIN = ['sms', 'push', 'line', 'whatsapp', 'letter', 'call'];
const IN_PAGE = ['in_app', 'card', 'banner', 'inbox'];
const WITH_SUBJECT = ['email', 'push', 'letter', ...IN_PAGE];

export const isInPage = (channel: string): boolean => IN_PAGE.includes(channel);
export const hasSubject = (channel: string): boolean => WITH_SUBJECT.includes(channel);
export const channelOf = (draft: TemplateDocument): string => text(draft.channel) || 'email';

/** The forms a channel's body may have, the usual one first. */
export function formatsOf(channel: string): string[] {
  if (PLAIN.includes(channel)) return ['liquid+text'];
  return isInPage(channel) ? ['liquid+html', 'liquid+text'] : ['liquid+html', 'liquid+mjml', 'liquid+text'];
}
export const formatOf = (draft: TemplateDocument): string => text(draft.format) || (formatsOf(channelOf(draft))[0] ?? '');

export function blank(channel: string): TemplateDocument {
  const subject: Fields = hasSubject(channel) ? { subject: '' } : {};
  const display: Fields = channel === 'banner' ? { display: { place: 'top' } } : {};
  return { channel, format: formatsOf(channel)[0] ?? 'liquid+html', ...subject, body: '', ...display };
}

/** What was put, without what the server says about it. */
export function documentOf({ name: _name, version: _version, published_at: _at, ...document }: TemplateRow): TemplateDocument {
  return document as TemplateDocument;
}

/** Another channel keeps the words; a form it does not know becomes its usual one. */
export function onChannel(draft: TemplateDocument, channel: string): TemplateDocument {
  const { push: _push, display: _display, ...kept } = draft;
  const forms = formatsOf(channel);
  const format = forms.includes(formatOf(draft)) ? formatOf(draft) : forms[0] ?? 'liquid+text';
  return { ...blank(channel), ...kept, channel, format };
}

export const localesOf = (draft: TemplateDocument): string[] => Object.keys(fields(draft.locales));

/** Where the wording of a locale stands; the empty locale is the default wording. */
export const placeOf = (locale: string): string[] => locale ? ['locales', locale] : [];
export const pointerOf = (path: string[]): string => path.map((part) => `/${part}`).join('');

export const readAt = (draft: Fields, path: string[]): Json | undefined =>
  path.reduce<Json | undefined>((value, part) => fields(value)[part], draft);

/** A copy with `value` at `path`; without a value the field goes. */
export function writeAt(draft: Fields, path: string[], value: Json | undefined): Fields {
  const [first, ...rest] = path;
  if (first === undefined) return fields(value);
  const copy = { ...draft };
  const next = rest.length ? writeAt(fields(draft[first]), rest, value) : value;
  if (next === undefined) delete copy[first];
  else copy[first] = next;
  return copy;
}

export const text = (value: Json | undefined): string => typeof value === 'string' ? value : '';
export const fields = (value: Json | undefined): Fields => typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
export const list = (value: Json | undefined): Json[] => Array.isArray(value) ? value : [];
