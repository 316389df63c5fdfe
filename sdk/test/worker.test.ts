import assert from 'node:assert/strict';
import { test } from 'node:test';

// What a service worker finds around it; tests/browser/test_sdk.py shows a real one being pushed to.
const handlers = new Map<string, (event: unknown) => void>();
const done: unknown[][] = [];
const windows: { focus(): Promise<void> }[] = [];
Object.assign(globalThis, {
  addEventListener: (name: string, handler: (event: unknown) => void) => handlers.set(name, handler),
  location: { hostname: 'shop.example' },
  fetch: async (...told: unknown[]) => done.push(['fetch', ...told]),
  registration: {
    showNotification: async (...told: unknown[]) => done.push(['show', ...told]),
    pushManager: { subscribe: async (...told: unknown[]) => done.push(['subscribe', ...told]) },
  },
  clients: {
    matchAll: async () => windows,
    openWindow: async (url: string) => done.push(['open', url]),
  },
});
await import('../src/worker.ts');

async function happens(name: string, event: object): Promise<unknown[][]> {
  const waits: Promise<unknown>[] = [];
  done.length = 0;
  handlers.get(name)!({ ...event, waitUntil: (wait: Promise<unknown>) => waits.push(wait) });
  await Promise.all(waits);
  return [...done];
}

const pushed = (said: object) => ({ data: { json: () => said } });
const notification = (data: object) => ({ notification: { data, close: () => done.push(['close']) } });

test('what is pushed is shown, and kept with what is shown', async () => {
  const said = { title: 'Back', body: 'Sencha', icon: '/i.png', tag: 't', url: 'https://kizuna.example/c/1' };
  const [shown] = await happens('push', pushed(said));
  assert.deepEqual(shown, ['show', 'Back', { body: 'Sencha', icon: '/i.png', image: undefined, tag: 't', data: said }]);
});

test('a push that cannot be read shows something of ours, or the browser would say something of its own', async () => {
  const broken = { data: { json: () => JSON.parse('{') } };
  assert.equal((await happens('push', broken))[0]![1], 'shop.example');
  assert.equal((await happens('push', { data: null }))[0]![1], 'shop.example');
});

test('a tap closes it and opens its address, which counts the click', async () => {
  assert.deepEqual(await happens('notificationclick', notification({ url: 'https://kizuna.example/c/1' })), [
    ['close'],
    ['open', 'https://kizuna.example/c/1'],
  ]);
});

test('a tap without an address brings the site to the front, or opens it', async () => {
  assert.deepEqual(await happens('notificationclick', notification({})), [['close'], ['open', '/']]);
  windows.push({ focus: async () => void done.push(['focus']) });
  assert.deepEqual(await happens('notificationclick', notification({})), [['close'], ['focus']]);
});

test('a dismissal is told to the address that came along', async () => {
  const [told] = await happens('notificationclose', notification({ dismissed_url: 'https://kizuna.example/d/1' }));
  assert.deepEqual(told!.slice(0, 2), ['fetch', 'https://kizuna.example/d/1']);
  assert.deepEqual(await happens('notificationclose', notification({})), []);
});

test('a subscription that the browser ended is made anew with the same key', async () => {
  const options = { userVisibleOnly: true };
  assert.deepEqual(await happens('pushsubscriptionchange', { oldSubscription: { options } }), [['subscribe', options]]);
  assert.deepEqual(await happens('pushsubscriptionchange', {}), []);
});
