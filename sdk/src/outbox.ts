/** A queue that outlives the page and is emptied in batches; whoever receives knows duplicates by their ids. */
import type { Store } from './store.ts';
import { backOff, mayHeal, type Answer } from './wire.ts';
import type { World } from './world.ts';

export interface Carrier {
  post(body: string): Promise<Answer>;
  beacon(body: string): boolean;
}

export interface Outbox<T> {
  add(entry: T): void;
  flush(): Promise<void>;
  /** The page is going: hand the rest to the browser. */
  leave(): void;
  clear(): void;
}

const SOON = 300; // milliseconds in which entries gather
const MOST_ENTRIES = 200;
const MOST_LETTERS = 256_000; // of all entries together; the oldest go first
const BATCH_ENTRIES = 50;
const BATCH_LETTERS = 18_000;

export function openOutbox<T>(
  name: string,
  store: Store,
  wrap: (entries: T[]) => string,
  carrier: Carrier,
  world: World,
  sent: () => void = () => {},
): Outbox<T> {
  let failures = 0;
  let isBusy = false;
  let callOff = () => {};

  // Read anew each time, for other tabs put theirs into the same list. An entry is known by its text.
  const held = () => store.get<string[]>(name) ?? [];
  const forget = (gone: string[]) => store.set(name, held().filter((entry) => !gone.includes(entry)));
  const wrapped = (batch: string[]) => wrap(batch.map((entry) => JSON.parse(entry) as T));

  function plan(milliseconds: number): void {
    callOff();
    callOff = world.later(milliseconds, flush);
  }

  async function flush(): Promise<void> {
    const batch = firstBatch(held());
    if (isBusy || !batch.length) return;
    isBusy = true;
    const answer = await carrier.post(wrapped(batch));
    isBusy = false;
    if (mayHeal(answer.status)) {
      plan(answer.retryAfter * 1000 || backOff(failures++, world.chance()));
      return;
    }
    failures = 0;
    forget(batch); // also what was refused: it would be refused again
    if (held().length) plan(0);
    sent();
  }

  return {
    add(entry) {
      store.set(name, bounded([...held(), JSON.stringify(entry)]));
      if (!failures) plan(SOON);
    },
    flush,
    leave() {
      let batch = firstBatch(held());
      while (batch.length && carrier.beacon(wrapped(batch))) {
        forget(batch);
        batch = firstBatch(held());
      }
    },
    clear() {
      callOff();
      store.set(name);
    },
  };
}

function bounded(entries: string[]): string[] {
  const kept = entries.slice(-MOST_ENTRIES);
  let letters = kept.reduce((sum, entry) => sum + entry.length, 0);
  while (letters > MOST_LETTERS) letters -= kept.shift()!.length;
  return kept;
}

/** At least one entry, if there are any. */
function firstBatch(entries: string[]): string[] {
  let letters = 0;
  const end = entries.findIndex((entry, index) => (letters += entry.length) > BATCH_LETTERS && index > 0);
  return entries.slice(0, Math.min(end < 0 ? BATCH_ENTRIES : end, BATCH_ENTRIES));
}
