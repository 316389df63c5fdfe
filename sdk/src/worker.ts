/** The service worker: shows what is pushed, and tells Kizuna of taps and dismissals. */

export {}; // a module, whose names are its own

interface Said {
  title?: string;
  body?: string;
  icon?: string;
  image?: string;
  tag?: string;
  url?: string;
  dismissed_url?: string;
}

interface Moment {
  data: { json(): Said } | null;
  notification: Notification & { data: Said };
  oldSubscription?: PushSubscription;
  waitUntil(done: Promise<unknown>): void;
}

// The types of pages and of workers exclude each other; this is what we need of the latter.
declare const registration: ServiceWorkerRegistration;
declare const clients: {
  matchAll(among: { type: 'window'; includeUncontrolled: true }): Promise<{ focus(): Promise<unknown> }[]>;
  openWindow(url: string): Promise<unknown>;
};

function hear(name: string, heard: (moment: Moment) => Promise<unknown> | undefined): void {
  addEventListener(name, (event) => {
    const moment = event as unknown as Moment;
    const done = heard(moment);
    if (done) moment.waitUntil(done);
  });
}

hear('push', ({ data }) => {
  const said = read(data);
  const { title = location.hostname, body, icon, image, tag } = said;
  return registration.showNotification(title, { body, icon, image, tag, data: said } as NotificationOptions);
});

hear('notificationclick', ({ notification }) => {
  notification.close();
  return notification.data.url ? clients.openWindow(notification.data.url) : toTheFront();
});

hear('notificationclose', ({ notification: { data } }) =>
  data.dismissed_url ? fetch(data.dismissed_url, { method: 'POST', mode: 'no-cors', keepalive: true }) : undefined,
);

// The page tells Kizuna of the new one when it is next looked at.
hear('pushsubscriptionchange', ({ oldSubscription }) =>
  oldSubscription
    ? registration.pushManager.subscribe(oldSubscription.options as PushSubscriptionOptionsInit)
    : undefined,
);

/** A push that we cannot read still has to show something, or the browser shows a text of its own. */
function read(data: Moment['data']): Said {
  try {
    return data?.json() ?? {};
  } catch {
    return {};
  }
}

async function toTheFront(): Promise<void> {
  const [page] = await clients.matchAll({ type: 'window', includeUncontrolled: true });
  await (page ? page.focus() : clients.openWindow('/'));
}
