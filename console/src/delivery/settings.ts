/** Settings of a provider while they are typed: what a form holds, and what is sent of it. */
import type { Fields, Json } from '../api';
import type { Kind, KindField, Provider } from './api';

export type Typed = Record<string, string>; // by field, as text

export const isLong = (kind: string, field: KindField): boolean => field.type === 'json' || (kind === 'apns' && field.name === 'key') || ['body', 'imprint'].includes(field.name);

/** What a form begins with: what is set, else the defaults. Secrets begin empty: they are never shown. */
export function begin(kind: Kind, provider: Provider | undefined): Typed {
  return Object.fromEntries(kind.fields.map((field) => [field.name, field.is_secret ? '' : shown(provider?.settings[field.name] ?? field.default)]));
}

const shown = (value: Json | undefined): string => value === null || value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value, null, typeof value === 'object' ? 2 : 0);

export interface Read { settings: Fields; faults: Record<string, 'missing' | 'number' | 'json'> }

/** What was typed as the API takes it. Secrets left empty stay as they are; other fields left empty have their default. */
export function read(kind: Kind, typed: Typed, held: string[]): Read {
  const settings: Fields = {};
  const faults: Read['faults'] = {};
  for (const field of kind.fields) {
    const said = (typed[field.name] ?? '').trim();
    if (said === '') {
      if (field.is_required && !held.includes(field.name)) faults[field.name] = 'missing';
      continue;
    }
    const value = valueOf(field, said);
    if (value === undefined) faults[field.name] = field.type === 'json' ? 'json' : 'number';
    else settings[field.name] = value;
  }
  return { settings, faults };
}

function valueOf(field: KindField, said: string): Json | undefined {
  if (field.type === 'json') {
    try { return JSON.parse(said) as Json; } catch { return undefined; }
  }
  if (field.type !== 'number' && field.type !== 'whole_number') return said;
  const value = Number(said);
  return Number.isFinite(value) && (field.type === 'number' || Number.isInteger(value)) ? value : undefined;
}
