/** A segment rule in the reader's own language; what is a value is put between marks, so that it can be set off. */
import type { Fields, Json, Rule } from '../api';
import { plain, readable, span, titled } from '../format';
import type { Key, Speech } from '../i18n';

export const MARK = '\u0001';
const em = (value: string): string => MARK + value + MARK;

const OPERATORS = ['is', 'is_not', 'in', 'not_in', 'gt', 'gte', 'lt', 'lte', 'between', 'contains', 'not_contains', 'starts_with', 'ends_with', 'matches', 'exists', 'before', 'after', 'within_last', 'within_next', 'anniversary'];
const object = (value: Json | undefined): Fields => typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};

export type Words = { join: 'all' | 'any' | 'not'; parts: Words[] } | { text: string };

/** The tree of a rule: groups that join, and leaves that are one sentence. */
export function words(rule: Rule, speech: Speech): Words {
  for (const join of ['all', 'any'] as const) {
    const parts = rule[join];
    if (!Array.isArray(parts)) continue;
    if (parts.length === 0) return { text: speech.t(join === 'all' ? 'rule.everyone' : 'rule.nobody') };
    const read = parts.map((part) => words(object(part), speech));
    return read.length === 1 && read[0] ? read[0] : { join, parts: read };
  }
  if (rule.not !== undefined) return { join: 'not', parts: [words(object(rule.not), speech)] };
  return { text: leaf(rule, speech) };
}

function leaf(rule: Rule, speech: Speech): string {
  const { t, maybe } = speech;
  const around = { window: window(rule, speech), where: where(rule.where, speech) };
  const event = (name: Json | undefined): string => em(plain(name));

  if (rule.did !== undefined) return t('rule.did', { event: event(rule.did), count: count(rule.count, speech), ...around });
  if (rule.did_not !== undefined) return t('rule.did_not', { event: event(rule.did_not), ...around });
  for (const how of ['sum', 'avg', 'min', 'max', 'distinct'] as const) {
    const over = object(rule[how]);
    if (rule[how] !== undefined) return t('rule.aggregate', { how: t(`agg.${how}`), property: em(plain(over.property)), event: event(over.event), test: tests(rule, speech), ...around });
  }
  for (const how of ['last', 'first'] as const) {
    const over = object(rule[how]);
    if (rule[how] !== undefined) return t('rule.pick', { how: t(`agg.${how}`), property: em(plain(over.property)), event: event(over.event), test: tests(rule, speech), ...around });
  }
  if (rule.trait !== undefined) return t('rule.trait', { trait: em(plain(rule.trait)), test: tests(rule, speech) });
  if (rule.in_segment !== undefined) return t('rule.in_segment', { segment: em(titled(plain(rule.in_segment))) });
  if (rule.consent !== undefined) {
    const about = object(rule.consent);
    const values = { channel: maybe(`channel.${plain(about.channel)}`, plain(about.channel)), topic: em(plain(about.topic)), state: em(maybe(`consent.${plain(rule.is)}`, plain(rule.is))) };
    return t(about.topic ? 'rule.consent.topic' : 'rule.consent', values);
  }
  if (Array.isArray(rule.sequence)) {
    const steps = rule.sequence.map(object).map((step) => step.within
      ? t('rule.sequence.within', { event: event(step.did), span: span(plain(step.within), t) })
      : event(step.did));
    return t('rule.sequence', { steps: steps.join(' → '), ...around });
  }
  for (const verb of ['received', 'opened', 'clicked', 'replied'] as const) {
    if (rule[verb] === undefined) continue;
    const about = Object.values(object(rule[verb])).map((value) => em(readable(plain(value)))).join(' · ');
    return t('rule.message', { verb: t(`rule.${verb}`), what: about || t('rule.message.any'), count: count(rule.count, speech), ...around });
  }
  if (rule.loyalty !== undefined) return t('rule.loyalty', { tier: em(plain(object(rule.loyalty).tier)) });
  if (rule.points !== undefined) return t('rule.points', { test: tests(object(rule.points), speech) });
  if (rule.model !== undefined) return t('rule.model', { model: em(plain(rule.model)), test: tests(rule, speech) });
  if (rule.bucket !== undefined) return t('rule.bucket', { from: plain(object(rule.bucket).from), to: plain(object(rule.bucket).to) });
  return JSON.stringify(rule); // a form newer than this page: shown as it is stored
}

function tests(conditions: Fields, speech: Speech): string {
  const found = OPERATORS.filter((name) => conditions[name] !== undefined).map((name) => test(name, conditions[name], speech));
  return found.join(` ${speech.t('and')} `);
}

function test(name: string, value: Json | undefined, { t, maybe }: Speech): string {
  if (name === 'exists') return t(value === false ? 'op.exists_not' : 'op.exists');
  if (name === 'anniversary') return t('op.anniversary', { v: em(span(plain(object(value).within_next), t)) });
  if (name === 'within_last' || name === 'within_next') return t(`op.${name}`, { v: em(span(plain(value), t)) });
  if (name === 'between' && Array.isArray(value)) return t('op.between', { v: em(value.map(plain).join('–')) });
  return maybe(`op.${name}`, name).replace('{v}', em(plain(value)));
}

function where(conditions: Json | undefined, speech: Speech): string {
  if (!Array.isArray(conditions) || conditions.length === 0) return '';
  const read = conditions.map(object).map((one) => speech.t('rule.trait', { trait: em(plain(one.property)), test: tests(one, speech) }));
  return speech.t('rule.where', { tests: read.join(speech.language === 'ja' ? '、' : ` ${speech.t('and')} `) });
}

function window(rule: Rule, { t }: Speech): string {
  if (Array.isArray(rule.between) && rule.did !== undefined) return t('rule.between', { from: em(plain(rule.between[0])), to: em(plain(rule.between[1])) });
  return rule.within === undefined ? '' : t('rule.window', { span: em(span(plain(rule.within), t)) });
}

function count(asked: Json | undefined, { t }: Speech): string {
  const wanted = asked === undefined ? { gte: 1 } : object(asked);
  return Object.entries(wanted).map(([name, value]) => {
    if (name === 'between' && Array.isArray(value)) return t('count.between', { a: plain(value[0]), b: plain(value[1]) });
    if ((name === 'gte' || name === 'is' || name === 'lte' || name === 'gt') && value === 1) return t(`count.${name}.one`);
    return t(`count.${name}` as Key, { n: plain(value) });
  }).join(t('and'));
}

/** The whole rule as one line, for lists. */
export function line(rule: Words, speech: Speech): string {
  if ('text' in rule) return rule.text;
  if (rule.join === 'not') return `${speech.t('rule.not')}: ${rule.parts.map((part) => line(part, speech)).join('')}`;
  const joint = speech.language === 'ja' ? (rule.join === 'all' ? '、かつ ' : '、または ') : ` ${speech.t(rule.join === 'all' ? 'and' : 'or')} `;
  return rule.parts.map((part, index) => {
    const said = 'text' in part || part.join === 'not' ? line(part, speech) : `(${line(part, speech)})`;
    return index && speech.language === 'en' ? said.charAt(0).toLowerCase() + said.slice(1) : said;
  }).join(joint);
}
