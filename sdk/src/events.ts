/** Events in Segment's form. */
import { type Identity, newId } from './identity.ts';
import type { Properties } from './wire.ts';

export interface SentEvent extends Properties {
  type: 'track' | 'page' | 'identify';
  messageId: string;
  timestamp: string;
}

/** One event as it is now; `context` adds to what is said of the page. */
export function eventOf(
  type: SentEvent['type'],
  said: Properties,
  { anonymousId, userId }: Identity,
  context: Properties = {},
): SentEvent {
  return {
    type,
    messageId: newId(),
    timestamp: new Date().toISOString(),
    anonymousId,
    userId,
    ...said,
    context: {
      library: { name: 'kizuna.js', version: '1' },
      locale: navigator.language,
      timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      userAgent: navigator.userAgent,
      page: pageNow(),
      ...context,
    },
  };
}

export function pageNow(): Properties {
  const { href, pathname, search } = location;
  return { path: pathname, referrer: document.referrer, search, title: document.title, url: href };
}
