/** One Kizuna on one page: who is looking, what lies on their shelf, and what becomes of it. */
import { type Analytics, rideOn } from './beside.ts';
import { openEars, type Ears } from './ears.ts';
import { eventOf, pageNow, type SentEvent } from './events.ts';
import { type Identity, keepIdentity, newId, readIdentity } from './identity.ts';
import { openOutbox } from './outbox.ts';
import { openPush, type Push } from './push.ts';
import { openShelf } from './shelf.ts';
import { type Ending, openStage } from './stage.ts';
import { openStore, type Store } from './store.ts';
import { type Texts, textsFor } from './texts.ts';
import { showMessage } from './view/message.ts';
import { showBanners, showCards, showInbox } from './view/places.ts';
import { openWatch } from './view/watch.ts';
import { type Act, beacon, type Done, type Item, type Kind, post, type Properties } from './wire.ts';
import { browser } from './world.ts';

export interface Options {
  writeKey: string;
  host: string; // Kizuna's address
  userToken?: string;
  analytics?: Analytics | boolean; // `window.analytics` when there is one; false: never
  locale?: string; // of our own texts; else the page's language
  texts?: Partial<Texts>;
  pause?: number; // seconds between two in-app messages
  worker?: string; // path of the service worker on the site
  ignoreGpc?: boolean; // send events although the browser asks not to be tracked
}

export interface Client extends Ears {
  store: Store;
  texts: Texts;
  ready: Promise<void>; // the first shelf is here
  identity(): Identity;
  pushKey(): string | undefined;
  items(kind: Kind): Item[];
  identify(userId?: string, traits?: Properties, options?: { userToken?: string }): void;
  track(event: string, properties?: Properties): void;
  page(name?: string, properties?: Properties): void;
  reset(): void;
  optOut(): Promise<void>;
  optIn(): void;
  refresh(): void;
  cards(host: Element): void;
  inbox(host: Element): void;
  askForPush: Push['ask'];
  stopPush: Push['stop'];
  send(type: SentEvent['type'], said: Properties, context?: Properties): void;
  present(title: string, text: string, buttons: string[], ended: (ending: Ending) => void): void;
  watch(element: Element, item: Item): void;
  clicked(item: Item, button?: string): void;
  drop(item: Item, act: Act): void;
}

const PAUSE = 30; // seconds
const AFTER_EVENT = 1500; // milliseconds after which an event has done what it may; twice that if others send it

export function openClient(options: Options): Client {
  const host = options.host.replace(/\/$/, '');
  const { writeKey, ignoreGpc } = options;
  const store = openStore(() => localStorage);
  const locale = options.locale || document.documentElement.lang || navigator.language;
  const analytics = analyticsOf(options.analytics);
  const ears = openEars();
  const watch = openWatch();
  const seen = new Set<string>(); // on this page

  let who: Identity | undefined; // nobody while opted out, and until analytics.js has told
  let userToken = options.userToken;
  let isOut = !!store.get('out');
  let isReady = () => {};

  const carrier = (path: string) => ({
    post: (body: string) => post(host + path, body),
    beacon: (body: string) => beacon(host + path, body),
  });
  const about = () => ({ writeKey, ...who, userToken });
  const events = openOutbox<SentEvent>(
    'events',
    store,
    (batch) => JSON.stringify({ writeKey, batch, sentAt: new Date().toISOString() }),
    carrier('/v1/batch'),
    browser,
    () => shelf.pullIn(AFTER_EVENT),
  );
  const acts = openOutbox<Done>(
    'acts',
    store,
    (batch) => JSON.stringify({ ...about(), acts: batch }),
    carrier('/in-page/acts'),
    browser,
  );
  const stage = openStage(store, browser, (options.pause ?? PAUSE) * 1000, (item, ended) => {
    ears.emit('shown', item);
    return showMessage(item, client, (ending) => {
      if (ending) shelf.drop(item.id);
      else drop(item, 'dismiss');
      ended(ending);
    });
  });
  const shelf = openShelf(
    (known) => post(host + '/in-page/pull', JSON.stringify({ ...about(), locale: navigator.language, known })),
    browser,
    () => {
      stage.stock(items('in_app'));
      arranged();
      isReady();
      void push.sync();
    },
    (problem) => ears.emit('error', problem),
  );

  /** Whatever changed on the shelf, everything that shows it hears. */
  function arranged(): void {
    showBanners(client);
    ears.emit('items');
    tellUnread();
  }

  function tellUnread(): void {
    ears.emit('unread', { card: unread('card'), inbox: unread('inbox') });
  }

  function items(kind: Kind): Item[] {
    return shelf.items(kind);
  }

  function unread(kind: Kind): number {
    return items(kind).filter((item) => !item.read).length;
  }

  /** A visitor who signs in keeps what they see; anybody else begins with nothing. */
  function be(to: Identity): void {
    if (isOut) return;
    const isSame = who?.anonymousId === to.anonymousId && who?.userId === to.userId;
    if (who && !isSame) void acts.flush(); // told in the name of who did them
    if (!isSame && who?.userId) clear();
    who = to;
    if (!analytics) keepIdentity(store, to);
    shelf.begin();
  }

  function clear(): void {
    shelf.empty();
    stage.clear();
    arranged();
  }

  function act(item: Item, what: Act, button?: string): void {
    if (item.token && who) acts.add({ token: item.token, act: what, button, at: new Date().toISOString() });
  }

  function drop(item: Item, why: Act): void {
    act(item, why);
    shelf.drop(item.id);
    ears.emit('dismissed', item);
    arranged();
  }

  function send(type: SentEvent['type'], said: Properties, context?: Properties): void {
    if (who) events.add(eventOf(type, said, who, context));
  }

  function tracked(type: 'track' | 'page', said: Properties): void {
    if (ignoreGpc || !(navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl) send(type, said);
  }

  function happened(event: string, properties: Properties): void {
    stage.happened({ event, properties });
    if (analytics && who) shelf.pullIn(2 * AFTER_EVENT);
  }

  function looked(): void {
    stage.happened({ path: location.pathname });
    showBanners(client);
  }

  const client: Client = {
    ...ears,
    store,
    texts: textsFor(locale, options.texts),
    ready: new Promise((done) => (isReady = done)),
    identity: () => who!,
    pushKey: shelf.pushKey,
    items,
    send,
    drop,
    refresh() {
      if (who) shelf.begin();
    },
    cards: (host) => showCards(client, host),
    inbox: (host) => showInbox(client, host),
    askForPush: (texts) => push.ask(texts),
    stopPush: () => push.stop(),

    identify(userId, traits = {}, more = {}) {
      const isOther = userId && who?.userId && userId !== who.userId;
      userToken = more.userToken ?? (isOther ? undefined : userToken);
      if (analytics) return void analytics().identify(userId, traits);
      if (!who) return;
      be({ anonymousId: isOther ? newId() : who.anonymousId, userId: userId || who.userId });
      send('identify', { traits });
    },
    track(event, properties = {}) {
      if (analytics) return void analytics().track(event, properties);
      tracked('track', { event, properties });
      happened(event, properties);
    },
    page(name, properties = {}) {
      if (analytics) return void analytics().page(undefined, name, properties);
      tracked('page', { name, properties: { ...pageNow(), ...properties } });
      looked();
    },
    reset() {
      userToken = undefined;
      if (analytics) analytics().reset();
      else be({ anonymousId: newId() });
    },
    async optOut() {
      isOut = true;
      who = undefined;
      for (const name of ['anonymous', 'user', 'shown', 'shown.at', 'push.later']) store.set(name);
      store.set('out', true);
      events.clear();
      acts.clear();
      clear();
      await push.stop();
    },
    optIn() {
      isOut = false;
      store.set('out');
      askWho();
    },
    present(title, text, buttons, ended) {
      const labelled = buttons.map((label, index) => ({ id: `${index}`, label }));
      const display = { layout: 'slide_up', priority: Infinity } as const;
      stage.ask({ id: 'own', kind: 'in_app', title, text, html: '', buttons: labelled, display, token: '' }, ended);
    },
    watch(element, item) {
      watch(element, () => {
        if (!seen.has(item.id)) act(item, 'impression');
        seen.add(item.id);
        if (item.read || !['card', 'inbox'].includes(item.kind)) return;
        item.read = true;
        act(item, 'read');
        tellUnread();
      });
    },
    clicked(item, button) {
      act(item, 'click', button);
      const event = item.buttons?.find(({ id }) => id === button)?.event;
      if (event) client.track(event, { item: item.id, button });
      ears.emit('clicked', { item, button });
    },
  };

  const push = openPush(client, options.worker ?? '/kizuna-sw.js');
  const own = () => readIdentity(store);
  const askWho = analytics
    ? rideOn(analytics, { track: happened, page: looked, identity: be }, own)
    : () => be(own());
  looked();
  if (!isOut) {
    if (!analytics) askWho();
    void events.flush();
    void acts.flush();
  }

  addEventListener('online', () => {
    void events.flush();
    void acts.flush();
  });
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) {
      events.leave();
      acts.leave();
      shelf.rest();
    } else if (who) shelf.pullIn(0);
  });
  return client;
}

/** Asked anew each time, for the snippet's stub at `window.analytics` is replaced by the loaded library. */
function analyticsOf(given: Options['analytics']): (() => Analytics) | undefined {
  const current = () => (typeof given === 'object' ? given : (window as { analytics?: Analytics }).analytics);
  return given !== false && typeof current()?.on === 'function' ? (current as () => Analytics) : undefined;
}
