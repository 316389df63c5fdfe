/** Web push: asks in our own words first, subscribes, and keeps Kizuna's copy of the subscription right. */
import type { Client } from './client.ts';
import type { Ending } from './stage.ts';
import { trusted } from './trusted.ts';

export type PushState = 'unsupported' | 'unavailable' | 'later' | NotificationPermission;

const AGAIN = 30 * 24 * 3600 * 1000; // milliseconds after a "not now"
const YES = '0'; // the first button
const SCOPE = 'kizuna-push/'; // no page lies there, so the site's own worker stays in charge of its pages

/** The site's own words. */
export interface Question {
  title?: string;
  text?: string;
  yes?: string;
  no?: string;
}

export interface Push {
  ask(own?: Question): Promise<PushState>;
  /** Tells Kizuna of the subscription when it, or the visitor, is another than last time. */
  sync(): Promise<void>;
  stop(): Promise<void>;
}

export function openPush(client: Client, worker: string): Push {
  const { store, texts } = client;
  const scope = new URL(SCOPE, new URL(worker, location.href)).pathname;
  const isSupported = () => 'serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window;

  async function ask(own: Question = {}): Promise<PushState> {
    if (!isSupported()) return 'unsupported';
    await client.ready;
    if (!client.pushKey()) return 'unavailable';
    if (Notification.permission !== 'default') {
      await subscribe();
      return Notification.permission;
    }
    if (Date.now() - (store.get<number>('push.later') ?? -AGAIN) < AGAIN) return 'later';
    const { title = texts.pushTitle, text = texts.pushText, yes = texts.pushYes, no = texts.pushNo } = own;
    const answer = await new Promise<Ending>((answered) =>
      client.present(title, text, [yes, no], (ending) => {
        if (ending === YES) void Notification.requestPermission().then(() => answered(ending)); // within the click
        else answered(ending);
      }),
    );
    if (answer !== YES) {
      store.set('push.later', Date.now());
      return 'later';
    }
    await subscribe();
    client.emit('push', Notification.permission);
    return Notification.permission;
  }

  /** Does nothing without the permission. */
  async function subscribe(): Promise<void> {
    const key = client.pushKey();
    if (Notification.permission !== 'granted' || !key) return sync();
    try {
      const registration = await navigator.serviceWorker.register(trusted('createScriptURL', worker), { scope });
      await isActive(registration);
      const held = await registration.pushManager.getSubscription();
      if (held && keyOf(held) !== key) await held.unsubscribe();
      await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
    } catch (error) {
      client.emit('error', { code: 'push_failed', detail: `${error}` });
    }
    await sync();
  }

  async function sync(): Promise<void> {
    if (!isSupported()) return;
    const held = await subscription();
    if (!held) return store.set('push.told');
    if (Notification.permission !== 'granted') return stop();
    const token = JSON.stringify(held);
    const told = JSON.stringify([token, client.identity().userId ?? client.identity().anonymousId]);
    if (store.get('push.told') === told) return;
    store.set('push.told', told);
    client.send('identify', { traits: {} }, { device: { type: 'web', token } });
  }

  /** The push service will answer that nobody is there, and Kizuna forgets the device. */
  async function stop(): Promise<void> {
    if (isSupported()) await (await subscription())?.unsubscribe();
    store.set('push.told');
  }

  async function subscription(): Promise<PushSubscription | null | undefined> {
    const registration = await navigator.serviceWorker.getRegistration(scope);
    return registration?.scope.endsWith(scope) ? registration.pushManager.getSubscription() : null;
  }

  return { ask, sync, stop };
}

function isActive(registration: ServiceWorkerRegistration): Promise<void> | undefined {
  const coming = registration.installing ?? registration.waiting;
  if (registration.active || !coming) return undefined;
  return new Promise((done) => coming.addEventListener('statechange', () => registration.active && done()));
}

/** The key a subscription was made for, as Kizuna writes it: base 64 for addresses, without padding. */
function keyOf({ options }: PushSubscription): string {
  const bytes = new Uint8Array(options.applicationServerKey ?? new ArrayBuffer(0));
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=/g, '');
}
