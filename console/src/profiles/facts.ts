/** What a timeline entry says, in human words. */
import type { Entry, Json } from '../api';
import { amount, currencyOf, money, number, plain, readable, titled } from '../format';
import type { Speech } from '../i18n';

export interface Told { text: string; detail: string; kind: 'customer' | 'segment' | 'journey' | 'message' | 'profile'; tone: 'plain' | 'good' | 'bad' }

const bad = new Set(['message_skipped', 'message_bounced', 'message_complained', 'message_rejected', 'message_expired', 'message_unknown', 'message_unsubscribed', 'Order Refunded']);
const BEGINS = new Set(['message_planned', 'message_skipped']);
const good = new Set(['journey_goal', 'message_clicked', 'Order Completed']);

export function tell(entry: Entry, speech: Speech, currency: string): Told {
  const event = entry.event ?? entry.type;
  const tone = bad.has(event) ? 'bad' : good.has(event) ? 'good' : 'plain';
  return isFact(entry) ? { ...fact(entry, event, speech), tone } : { text: deed(entry, event, speech), detail: worth(entry, speech, currency), kind: 'customer', tone };
}

export const isFact = (entry: Entry): boolean => entry.type === 'fact' || entry.type === 'report';

function fact(entry: Entry, event: string, { t, maybe }: Speech): Omit<Told, 'tone'> {
  const said = entry.properties;
  const name = (value: Json | undefined): string => titled(plain(value));
  const key = event === 'journey_entered' && said.holdout === true ? 'fact.journey_entered.holdout' : `fact.${event}`;
  const values: Record<string, string> = {
    segment: name(said.segment), journey: name(said.journey), step: name(said.step), campaign: name(said.campaign),
    message: name(said.template ?? said.campaign ?? said.journey), reason: maybe(`reason.${plain(said.reason)}`, name(said.reason)),
    channel: maybe(`channel.${plain(said.channel)}`, plain(said.channel)), state: maybe(`consent.${plain(said.state)}`, plain(said.state)),
  };
  const text = maybe(key, readable(event)).replace(/\{(\w+)\}/g, (whole, word: string) => values[word] ?? whole);
  const kind = event.startsWith('segment') ? 'segment' : event.startsWith('journey') ? 'journey' : event.startsWith('message') ? 'message' : 'profile';
  const origin = kind !== 'message' || !BEGINS.has(event) ? [] : [
    typeof said.journey === 'string' ? `${t('outbox.from_journey')}: ${titled(said.journey)}` : '',
    typeof said.campaign === 'string' ? `${t('outbox.from_campaign')}: ${titled(said.campaign)}` : '',
  ].filter(Boolean);
  const url = typeof said.url === 'string' ? [said.url] : [];
  const value = kind === 'journey' && said.value !== undefined && said.value !== null ? [plain(said.value)] : [];
  const traits = event === 'traits_updated' && said.traits ? [plain(said.traits)] : [];
  const words = event === 'message_replied' && typeof said.text === 'string' ? [said.text] : [];
  return { text: text || t('unknown'), detail: [...origin, ...url, ...words, ...value, ...traits].join(' · '), kind };
}

function deed(entry: Entry, event: string, { t, maybe }: Speech): string {
  const name = plain(entry.properties.name ?? entry.properties.title ?? entry.properties.url);
  if (entry.type === 'page' || event === 'Page Viewed') return name === '—' ? t('event.page.any') : t('event.page', { name });
  if (entry.type === 'screen' || event === 'Screen Viewed') return t('event.screen', { name });
  return maybe(`event.${entry.event ?? entry.type}`, event);
}

function worth(entry: Entry, { t, language }: Speech, currency: string): string {
  const said = entry.properties;
  const value = amount(said.total ?? said.revenue ?? said.value ?? said.amount ?? null);
  const items = Array.isArray(said.products) ? said.products.length : amount(said.items ?? said.quantity ?? null);
  return [
    value === null ? '' : money(value, typeof said.currency === 'string' ? said.currency : currencyOf(said.total, currency), language),
    items === null || items === 0 ? '' : t('event.items', { n: number(items, language) }),
    typeof said.product === 'string' ? said.product : '',
    typeof said.order_id === 'string' ? `#${said.order_id}` : '',
  ].filter(Boolean).join(' · ');
}
