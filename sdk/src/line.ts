/** In-app messages stand in line: one at a time, the most important first, never too often. */
import type { Item } from './wire.ts';

export interface Waiting {
  item: Item;
  readyAt: number; // milliseconds
  ended?: (ending: string | true | undefined) => void; // a question of our own, which does not wait for the pause
}

/** Who comes next, else in how many milliseconds to ask again, else null. */
export function next(waiting: Waiting[], now: number, quietUntil: number): Waiting | number | null {
  const due = (one: Waiting) => Math.max(one.readyAt, one.ended ? 0 : quietUntil);
  const alive = waiting.filter(({ item }) => !isOver(item, now));
  const ready = alive.filter((one) => due(one) <= now);
  if (ready.length) return ready.reduce((best, one) => (priority(one) > priority(best) ? one : best));
  return alive.length ? Math.min(...alive.map(due)) - now : null;
}

export function isOver(item: Item, now: number): boolean {
  return !!item.expires_at && Date.parse(item.expires_at) <= now;
}

function priority({ item }: Waiting): number {
  return item.display.priority ?? 0;
}
