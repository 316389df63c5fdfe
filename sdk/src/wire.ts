/** What travels between the page and Kizuna, and how. */

export type Properties = Record<string, unknown>;
export type Kind = 'in_app' | 'card' | 'banner' | 'inbox';
export type Act = 'impression' | 'click' | 'dismiss' | 'read' | 'delete';

export interface Button {
  id: string;
  label: string;
  url?: string | null;
  event?: string | null;
}

export type Condition = { property: string } & Properties;
export type Trigger = 'now' | { event: string; where?: Condition[] } | { page: { path?: string } };

export interface Display {
  trigger?: Trigger;
  delay_s?: number;
  layout?: 'modal' | 'slide_up' | 'full';
  position?: string;
  close?: boolean;
  priority?: number;
  once?: boolean;
  place?: string;
  pinned?: boolean;
}

/** One thing on a customer's shelf. `html` was cleaned by the server; times are RFC 3339. */
export interface Item {
  id: string;
  kind: Kind;
  title: string;
  html: string;
  text?: string; // plain, in questions of our own
  image?: string | null;
  url?: string | null;
  buttons?: Button[];
  display: Display;
  placed_at?: string;
  expires_at?: string | null;
  read?: boolean;
  token: string;
}

/** What a look at the shelf brings. */
export interface Pulled {
  items: Item[]; // that the page does not hold yet
  gone?: string[]; // of those that the page holds
  read?: string[]; // likewise
  needs?: string; // what is missing for the shelf to be shown: "user_token"
  push?: { public_key: string } | null;
  again_after_s?: number;
}

export interface Done {
  token: string;
  act: Act;
  button?: string;
  at: string;
}

/** `status` is 0 when nobody answered. */
export interface Answer {
  status: number;
  body?: unknown;
  retryAfter: number; // seconds, 0 when not told
}

const MOST_KEPT_ALIVE = 20_000; // letters; a browser lets 64 KiB outlive the page, and a letter may take three bytes

/** A body of plain text needs no preflight; no cookie goes along. */
export async function post(url: string, body: string): Promise<Answer> {
  try {
    const answer = await fetch(url, {
      method: 'POST',
      body,
      credentials: 'omit',
      keepalive: body.length < MOST_KEPT_ALIVE,
    });
    const told = await answer.json().catch(() => undefined);
    return { status: answer.status, body: told, retryAfter: Number(answer.headers.get('Retry-After')) || 0 };
  } catch {
    return { status: 0, retryAfter: 0 };
  }
}

/** Whether the browser promised to carry it on after the page is gone. */
export function beacon(url: string, body: string): boolean {
  return navigator.onLine && navigator.sendBeacon(url, body);
}

/** Whether the same request may succeed later. */
export function mayHeal(status: number): boolean {
  return status === 0 || status === 408 || status === 429 || status >= 500;
}

/** Milliseconds to wait after so many failures: a second doubled to a minute, spread so that pages part. */
export function backOff(failures: number, chance: number): number {
  return Math.min(60_000, 1000 * 2 ** failures) * (0.5 + chance / 2);
}
