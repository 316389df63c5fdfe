/** When an in-app message is due. */
import { holds } from './where.ts';
import type { Properties, Trigger } from './wire.ts';

/** Something that happened on this page: an event, or that a page with this path is looked at. */
export type Moment = { event: string; properties: Properties } | { path: string };

export function fires(trigger: Trigger | undefined, moment: Moment): boolean {
  if (typeof trigger !== 'object') return true; // now
  if ('page' in trigger) return 'path' in moment && matches(trigger.page.path ?? '**', moment.path);
  return 'event' in moment && moment.event === trigger.event && holds(trigger.where ?? [], moment.properties);
}

/** `*` stands for letters other than `/`, `**` for any. */
export function matches(glob: string, path: string): boolean {
  const pattern = glob
    .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replace(/\*+/g, (stars) => (stars.length > 1 ? '.*' : '[^/]*'));
  return new RegExp(`^${pattern}$`).test(path);
}
