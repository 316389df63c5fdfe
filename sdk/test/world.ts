/** A world whose time the test moves. */
import type { Store } from '../src/store.ts';
import { openStore } from '../src/store.ts';
import type { Answer, Item } from '../src/wire.ts';
import type { World } from '../src/world.ts';

export class TestWorld implements World {
  time = 1_000_000;
  #plans: { at: number; run: () => void }[] = [];

  now = () => this.time;
  chance = () => 1;
  later = (milliseconds: number, run: () => void) => {
    const plan = { at: this.time + milliseconds, run };
    this.#plans.push(plan);
    return () => void (this.#plans = this.#plans.filter((other) => other !== plan));
  };

  /** Milliseconds until something is planned, else null. */
  get quiet(): number | null {
    return this.#plans.length ? Math.min(...this.#plans.map(({ at }) => at)) - this.time : null;
  }

  /** Move on, run what is due in order, and let promises settle. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.time + milliseconds;
    for (;;) {
      await new Promise(setImmediate);
      const [first] = this.#plans.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (!first) break;
      this.#plans = this.#plans.filter((other) => other !== first);
      this.time = Math.max(this.time, first.at);
      first.run();
    }
    this.time = end;
  }
}

export function storage(): Storage {
  const held = new Map<string, string>();
  return {
    getItem: (name: string) => held.get(name) ?? null,
    setItem: (name: string, value: string) => void held.set(name, value),
    removeItem: (name: string) => void held.delete(name),
  } as unknown as Storage;
}

export function aStore(): Store {
  const kept = storage();
  return openStore(() => kept);
}

export function anItem(id: string, more: Partial<Item> = {}): Item {
  return { id, kind: 'in_app', title: id, html: '', display: {}, token: `token of ${id}`, ...more };
}

export function ok(body: unknown = {}): Answer {
  return { status: 200, body, retryAfter: 0 };
}

export function failed(status: number, retryAfter = 0): Answer {
  return { status, retryAfter };
}
