/** Where in-app messages appear: what happens calls them into the line, one at a time comes out. */
import { next, type Waiting } from './line.ts';
import type { Store } from './store.ts';
import { fires, type Moment } from './trigger.ts';
import type { Item } from './wire.ts';
import type { World } from './world.ts';

/** The id of the button; true for a link; undefined when it was dismissed. */
export type Ending = string | true | undefined;

export interface Stage {
  happened(moment: Moment): void;
  /** All messages that lie on the shelf. */
  stock(items: Item[]): void;
  /** A question of our own: before all others, and whatever was shown just before. */
  ask(item: Item, ended: (ending: Ending) => void): void;
  clear(): void;
}

const MOST_REMEMBERED = 300;
const MOST_EARLY = 50;

/** `show` answers how to take the message away; `pause` is in milliseconds. */
export function openStage(
  store: Store,
  world: World,
  pause: number,
  show: (item: Item, ended: (ending: Ending) => void) => () => void,
): Stage {
  const offered = new Set<string>(); // on this page
  let stocked: Item[] | undefined;
  let looking: Moment | undefined;
  let early: Moment[] = []; // events from before there was a shelf
  let waiting: Waiting[] = [];
  let takeAway: (() => void) | undefined;
  let callOff = () => {};

  const past = () => store.get<string[]>('shown') ?? [];
  const remember = (id: string) =>
    store.set('shown', [...past().filter((one) => one !== id), id].slice(-MOST_REMEMBERED));

  function consider(item: Item, moment: Moment): void {
    if (offered.has(item.id) || !fires(item.display.trigger, moment) || past().includes(item.id)) return;
    offered.add(item.id);
    waiting.push({ item, readyAt: world.now() + (item.display.delay_s ?? 0) * 1000 });
  }

  function turn(): void {
    callOff();
    if (takeAway) return;
    const found = next(waiting, world.now(), (store.get<number>('shown.at') ?? -pause) + pause);
    if (typeof found === 'number') callOff = world.later(found, turn);
    else if (found) bring(found);
  }

  function bring(one: Waiting): void {
    const { item, ended } = one;
    waiting = waiting.filter((other) => other !== one);
    if (item.display.once) remember(item.id);
    takeAway = show(item, (ending) => {
      takeAway = undefined;
      if (ended) ended(ending);
      else {
        remember(item.id);
        store.set('shown.at', world.now());
      }
      turn();
    });
  }

  return {
    happened(moment) {
      if ('path' in moment) looking = moment;
      else if (!stocked) early = [...early, moment].slice(-MOST_EARLY);
      for (const item of stocked ?? []) consider(item, moment);
      turn();
    },
    stock(items) {
      stocked = items;
      const newest = new Map(items.map((item) => [item.id, item]));
      waiting = waiting.filter((one) => one.ended || newest.has(one.item.id));
      for (const one of waiting) one.item = newest.get(one.item.id) ?? one.item;
      for (const moment of looking ? [looking, ...early] : early) for (const item of items) consider(item, moment);
      early = [];
      turn();
    },
    ask(item, ended) {
      waiting.push({ item, readyAt: 0, ended });
      turn();
    },
    clear() {
      callOff();
      takeAway?.();
      takeAway = stocked = undefined;
      waiting = early = [];
    },
  };
}
