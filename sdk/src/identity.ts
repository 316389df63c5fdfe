/** Who looks at the page. */
import type { Store } from './store.ts';

export interface Identity {
  anonymousId: string;
  userId?: string;
}

export function readIdentity(store: Store): Identity {
  const anonymousId = store.get<string>('anonymous') ?? newId();
  store.set('anonymous', anonymousId);
  return { anonymousId, userId: store.get<string>('user') };
}

export function keepIdentity(store: Store, { anonymousId, userId }: Identity): void {
  store.set('anonymous', anonymousId);
  store.set('user', userId);
}

/** 128 random bits in 32 letters; `crypto.randomUUID` is there on secure pages only. */
export function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
