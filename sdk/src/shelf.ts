/** What Kizuna put on the visitor's shelf, asked for again and again. */
import { isOver } from './line.ts';
import { backOff, mayHeal, type Answer, type Item, type Kind, type Pulled } from './wire.ts';
import type { World } from './world.ts';

const SHORTEST = 5000; // milliseconds between two questions
const AGAIN = 30; // seconds, where the server names none

export interface Shelf {
  items(kind: Kind): Item[];
  pushKey(): string | undefined;
  /** Ask now, in the name of whoever is looking now, and also after a refusal. */
  begin(): void;
  /** Ask in so many milliseconds, or sooner when that was planned. */
  pullIn(milliseconds: number): void;
  /** Whoever is looking now, it is somebody else: an answer on its way is not for them. */
  empty(): void;
  drop(id: string): void;
  rest(): void;
}

export function openShelf(
  ask: (known: string[]) => Promise<Answer>,
  world: World,
  filled: () => void,
  troubled: (problem: unknown) => void,
): Shelf {
  const held = new Map<string, Item>();
  const dropped = new Set<string>(); // the server may not have heard of it yet
  let pushKey: string | undefined;
  let round = 0; // an answer to an earlier one is not for whoever is looking now
  let failures = 0;
  let isRefused = false;
  let askedAt = -SHORTEST;
  let plannedAt = Infinity;
  let callOff = () => {};

  function pullIn(milliseconds: number): void {
    const at = Math.max(world.now() + milliseconds, askedAt + SHORTEST);
    if (isRefused || at >= plannedAt) return;
    callOff();
    plannedAt = at;
    callOff = world.later(at - world.now(), pull);
  }

  async function pull(): Promise<void> {
    const asked = round;
    plannedAt = Infinity;
    askedAt = world.now();
    const answer = await ask([...held.keys()]);
    if (asked !== round) return;
    const isAnswer = answer.status === 200;
    if (isAnswer && answer.body) {
      failures = 0;
      take(answer.body as Pulled);
    } else if (isAnswer || mayHeal(answer.status)) {
      pullIn(answer.retryAfter * 1000 || backOff(failures++, world.chance()));
    } else {
      isRefused = true; // asking again would change nothing
      held.clear();
      troubled(answer.body);
      filled();
    }
  }

  function take({ items, gone = [], read = [], push, needs, again_after_s = AGAIN }: Pulled): void {
    for (const id of gone) held.delete(id);
    for (const item of items) if (!dropped.has(item.id)) held.set(item.id, item);
    for (const id of read) if (held.has(id)) held.get(id)!.read = true;
    pushKey = push?.public_key;
    if (needs) troubled({ code: needs });
    pullIn(again_after_s * 1000);
    filled();
  }

  function rest(): void {
    callOff();
    plannedAt = Infinity;
  }

  return {
    items: (kind) => [...held.values()].filter((item) => item.kind === kind && !isOver(item, world.now())),
    pushKey: () => pushKey,
    pullIn,
    begin() {
      round++;
      isRefused = false;
      askedAt = -SHORTEST;
      pullIn(0);
    },
    empty() {
      round++;
      rest();
      held.clear();
      pushKey = undefined;
    },
    drop(id) {
      held.delete(id);
      dropped.add(id);
    },
    rest,
  };
}
