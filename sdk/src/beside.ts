/** Rides on Segment's analytics.js: hears what the site tells it, and asks it who the visitor is. */
import type { Identity } from './identity.ts';
import type { Properties } from './wire.ts';

/** analytics.js, loaded or still the snippet's stub, which answers nothing and keeps calls for later. */
export interface Analytics {
  on(name: string, heard: (...args: any[]) => void): unknown;
  ready(run: () => void): unknown;
  user?(): unknown;
  track(event: string, properties?: Properties): unknown;
  page(category?: string, name?: string, properties?: Properties): unknown;
  identify(userId?: string, traits?: Properties): unknown;
  reset(): unknown;
}

export interface Heard {
  track(event: string, properties: Properties): void;
  page(): void;
  identity(identity: Identity): void;
}

const PATIENCE = 4000; // milliseconds; analytics.js may be blocked and never come: then our own id is the visitor's

/** Answers how to be told anew who it is. `current` is asked each time, for the library takes the place of its stub. */
export function rideOn(current: () => Analytics, heard: Heard, own: () => Identity): () => void {
  async function tellWho(): Promise<void> {
    const user: any = await current().user?.();
    heard.identity(user ? { anonymousId: user.anonymousId(), userId: user.id() ?? undefined } : own());
  }
  const first = current();
  const timer = setTimeout(tellWho, PATIENCE);
  first.ready(() => {
    clearTimeout(timer);
    void tellWho();
  });
  first.on('track', (event, properties) => heard.track(event, properties ?? {}));
  first.on('page', () => heard.page());
  first.on('identify', tellWho);
  first.on('reset', tellWho);
  return tellWho;
}
