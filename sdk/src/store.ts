/** Small JSON values that outlive the page: in localStorage, or in memory where the browser refuses it. */
export interface Store {
  get<T>(name: string): T | undefined;
  /** Without a value the name is forgotten. */
  set(name: string, value?: unknown): void;
}

const PREFIX = 'kizuna.';

/** `storage` is asked each time: merely reading `window.localStorage` may throw. */
export function openStore(storage: () => Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>): Store {
  const refused = new Map<string, string | null>();

  return {
    get(name) {
      try {
        const text = refused.has(name) ? refused.get(name) : storage().getItem(PREFIX + name);
        return text ? JSON.parse(text) : undefined;
      } catch {
        return undefined;
      }
    },
    set(name, value) {
      try {
        if (value === undefined) storage().removeItem(PREFIX + name);
        else storage().setItem(PREFIX + name, JSON.stringify(value));
        refused.delete(name);
      } catch {
        refused.set(name, value === undefined ? null : JSON.stringify(value));
      }
    },
  };
}
