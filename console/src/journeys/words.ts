/** The steps, entries and exits of a journey, in the reader's own language. */
import type { Fields, Json, Step } from '../api';
import { plain, readable, span, titled } from '../format';
import type { Speech } from '../i18n';
import { line, MARK, words } from '../segments/words';

const object = (value: Json | undefined): Fields => typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
const KINDS = ['delay', 'wait_for', 'send', 'branch', 'split', 'bandit', 'update', 'emit', 'enter', 'points', 'coupon', 'reward', 'task', 'survey', 'webhook', 'audience_sync'];

export const kindOf = (step: Step): string => KINDS.find((kind) => step[kind] !== undefined) ?? Object.keys(step).find((key) => key !== 'id' && key !== 'next') ?? '';
const unmarked = (text: string): string => text.replaceAll(MARK, '');

/** What a step does: one line, and a second that says more. */
export function stepWords(step: Step, speech: Speech): { title: string; detail: string } {
  const { t, maybe } = speech;
  const kind = kindOf(step);
  switch (kind) {
    case 'delay': return { title: delay(step.delay, speech), detail: '' };
    case 'wait_for': return {
      title: t('step.wait_for', { events: (Array.isArray(step.wait_for) ? step.wait_for : []).map(object).map((one) => trigger(one, speech, true)).join(` ${t('or')} `) }),
      detail: t('step.wait_for.timeout', { span: span(plain(step.timeout ?? '7d'), t) }),
    };
    case 'send': {
      const what = object(step.send);
      const channels = (Array.isArray(what.channel) ? what.channel : [what.channel ?? 'email']).map((one) => maybe(`channel.${plain(one)}`, plain(one)));
      return { title: t('step.send', { channel: channels.join(` ${t('or')} `) }), detail: what.template ? t('step.send.template', { template: readable(plain(what.template)) }) : '' };
    }
    case 'branch': {
      const rules = Array.isArray(step.branch) ? step.branch.length : 0;
      return { title: t('step.branch'), detail: rules === 1 ? t('step.branch.one') : t('step.branch.text', { n: rules }) };
    }
    case 'split': return { title: t('step.split'), detail: (Array.isArray(step.split) ? step.split : []).map((arm) => plain(object(arm).weight)).join(' : ') };
    case 'update': return { title: t('step.update'), detail: Object.entries(object(object(step.update).traits)).map(([key, value]) => `${key} = ${plain(value)}`).join(', ') };
    case 'emit': return { title: t('step.emit', { event: plain(object(step.emit).event) }), detail: '' };
    case 'enter': return { title: t('step.enter', { journey: readable(plain(object(step.enter).journey)) }), detail: '' };
    default: return { title: readable(kind || step.id), detail: '' };
  }
}

function delay(asked: Json | undefined, { t }: Speech): string {
  if (typeof asked === 'string') return t('step.delay', { span: span(asked, t) });
  const wanted = object(asked);
  if (wanted.days === 1) return t('step.delay.day');
  if (wanted.days !== undefined) return t('step.delay.days', { n: plain(wanted.days) });
  if (wanted.until !== undefined) return t('step.delay.until', { time: plain(wanted.until) });
  return t('step.delay.at', { at: [plain(wanted.weekday), plain(wanted.at)].filter((one) => one !== '—').join(' ') });
}

/** What begins or ends a run: an event, a segment, a schedule, a rule. */
export function trigger(on: Fields, speech: Speech, short = false): string {
  const { t, maybe } = speech;
  if (on.event !== undefined) {
    const event = maybe(`name.${plain(on.event)}`, plain(on.event));
    return short ? event : t('entry.event', { event });
  }
  if (on.segment_entered !== undefined) return t('entry.segment_entered', { segment: titled(plain(on.segment_entered)) });
  if (on.segment_left !== undefined) return t('entry.segment_left', { segment: titled(plain(on.segment_left)) });
  if (on.api !== undefined) return t('entry.api');
  if (on.schedule !== undefined) return t('entry.schedule', { schedule: plain(on.schedule) });
  if (on.anniversary !== undefined) return t('entry.anniversary', { trait: plain(on.anniversary) });
  if (on.opted_out !== undefined) return t('entry.opted_out', { channel: maybe(`channel.${plain(on.opted_out)}`, plain(on.opted_out)) });
  if (on.goal !== undefined) return t('entry.goal');
  if (on.rule !== undefined) return ruleWords(object(on.rule), speech);
  return JSON.stringify(on);
}

export const ruleWords = (rule: Fields, speech: Speech): string => unmarked(line(words(rule, speech), speech));

export function againWords(again: Json | undefined, { t }: Speech): string {
  if (typeof again === 'object' && again !== null) return t('again.after', { span: span(plain(object(again).after), t) });
  return t(`again.${again === 'always' || again === 'after_exit' ? again : 'never'}`);
}
