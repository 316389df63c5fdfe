import type { Json, Money, Profile, ProfileRow } from './api';
import type { Language, Translate } from './i18n';

const locale: Record<Language, string> = { en: 'en-GB', ja: 'ja-JP' };
const made = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat>();
function kept<T extends Intl.NumberFormat | Intl.DateTimeFormat>(key: string, make: () => T): T {
  let format = made.get(key) as T | undefined;
  if (!format) made.set(key, format = make());
  return format;
}

export const number = (value: number, language: Language, digits = 0): string =>
  kept(`n${language}${digits}`, () => new Intl.NumberFormat(locale[language], { maximumFractionDigits: digits })).format(value);

export const compact = (value: number, language: Language): string =>
  kept(`c${language}`, () => new Intl.NumberFormat(locale[language], { notation: 'compact', maximumFractionDigits: 1 })).format(value);

export const share = (value: number | null | undefined, language: Language, digits = 1): string => value === null || value === undefined ? '—'
  : kept(`p${language}${digits}`, () => new Intl.NumberFormat(locale[language], { style: 'percent', maximumFractionDigits: digits })).format(value);

export function money(amount: number | null, currency: string, language: Language, short = false): string {
  if (amount === null) return '—';
  try {
    const whole = Math.abs(amount) >= 10_000;
    return kept(`m${language}${currency}${short}${whole}`, () => new Intl.NumberFormat(locale[language], {
      style: 'currency', currency, currencyDisplay: 'narrowSymbol',
      ...(short ? { notation: 'compact', maximumFractionDigits: 1 } : whole ? { maximumFractionDigits: 0 } : {}),
    })).format(amount);
  } catch {
    return `${number(amount, language, 2)} ${currency}`; // a currency Intl does not know
  }
}

/** The number in an answer's value: a number, numeric text, or money. */
export function amount(value: unknown): number | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'object') {
    const inside = value as Record<string, unknown>;
    return amount(inside.amount ?? inside.value ?? inside.total);
  }
  const plain = Number(value);
  return value === '' || Number.isNaN(plain) ? null : plain;
}
export const currencyOf = (value: unknown, otherwise: string): string =>
  typeof value === 'object' && value !== null && typeof (value as Money).currency === 'string' ? (value as Money).currency : otherwise;

const when = (value: string): Date | null => {
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? null : date;
};
const dated = (key: string, language: Language, zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat =>
  kept(`${key}${language}${zone}`, () => new Intl.DateTimeFormat(locale[language], { ...options, timeZone: zone }));

export function time(value: string | null | undefined, language: Language, zone: string): string {
  const date = value ? when(value) : null;
  return date ? dated('t', language, zone, { year: 'numeric', month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' }).format(date) : '—';
}
export function clockTime(value: string | null | undefined, language: Language, zone: string): string {
  const date = value ? when(value) : null;
  return date ? dated('h', language, zone, { hour: '2-digit', minute: '2-digit' }).format(date) : '—';
}
export function day(value: string | null | undefined, language: Language, zone: string): string {
  const date = value ? when(value) : null;
  return date ? dated('d', language, zone, { year: 'numeric', month: 'short', day: 'numeric' }).format(date) : '—';
}
/** A period's start: a local date or an instant. Plain dates are read as such, in no zone. */
export function period(value: string, language: Language, zone: string, every = '1mo'): string {
  const plain = /^\d{4}-\d{2}-\d{2}$/.test(value);
  const date = when(plain ? `${value}T00:00:00Z` : value);
  if (!date) return value;
  const options: Intl.DateTimeFormatOptions = every === '1mo' ? { year: 'numeric', month: 'short' } : { month: 'short', day: 'numeric' };
  return dated(`p${every}`, language, plain ? 'UTC' : zone, options).format(date);
}

const units: Record<string, string> = { s: 's', m: 'm', h: 'h', d: 'd', w: 'w', mo: 'mo', y: 'y' };
export function span(text: string, t: Translate): string {
  const found = /^(\d+)(s|mo|m|h|d|w|y)$/.exec(text);
  const unit = found ? units[found[2] ?? ''] : undefined;
  if (!found || !unit) return text;
  return found[1] === '1' ? t(`span.${unit}.one` as 'span.d.one') : t(`span.${unit}` as 'span.d', { n: found[1] ?? '' });
}

/** Any stored value as short plain text. */
export function plain(value: Json | undefined): string {
  if (value === null || value === undefined) return '—';
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map((one) => typeof one === 'object' ? JSON.stringify(one) : String(one)).join(', ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

const text = (value: unknown): string => typeof value === 'string' ? value : '';
export function nameOf(profile: Profile | ProfileRow, anonymous: string): string {
  const traits = profile.traits ?? {};
  const full = text(traits.name) || [text(traits.first_name ?? traits.firstName), text(traits.last_name ?? traits.lastName)].filter(Boolean).join(' ');
  return full || text(traits.email) || idOf(profile, 'email') || idOf(profile, 'user_id') || anonymous;
}
export const mailOf = (profile: Profile | ProfileRow): string => text(profile.traits?.email) || idOf(profile, 'email');
export const idOf = (profile: Profile | ProfileRow, type: string): string => profile.identities.find((one) => one.type === type)?.id ?? '';

/** A stored value as people read it: money, times and small objects are written out. */
export function human(value: Json | undefined, language: Language, zone: string): string {
  if (typeof value === 'string' && /^\d{4}-\d{2}-\d{2}T/.test(value)) return time(value, language, zone);
  if (typeof value === 'number') return number(value, language, 4);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    if (typeof value.currency === 'string' && value.amount !== undefined) return money(amount(value), value.currency, language);
    return Object.entries(value).map(([key, one]) => `${readable(key)} ${human(one, language, zone)}`).join(' · ');
  }
  if (Array.isArray(value) && value.length > 4) return `${value.slice(0, 3).map((one) => human(one, language, zone)).join(', ')} … (${value.length})`;
  return plain(value);
}

/** `win_back` reads as `win back`: names of definitions are written with underscores for machines. */
export const readable = (name: string): string => name.replaceAll('_', ' ');
export const titled = (name: string): string => {
  const text = readable(name);
  return text.charAt(0).toUpperCase() + text.slice(1);
};
/** What a definition is called: its own title, else its name made readable. */
export const titleOf = (one: { name: string; title?: string | null }): string => one.title && one.title !== one.name ? one.title : titled(one.name);
