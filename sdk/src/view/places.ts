/** Cards, the inbox and banners: what stands at places that the site gives us. */
import type { Client } from '../client.ts';
import type { Item } from '../wire.ts';
import { el, shadowOf } from './dom.ts';
import { closeButton, hearClicks, partsOf, titleId } from './item.ts';
import { listOf } from './list.ts';

/** A feed of cards, pinned ones first. */
export function showCards(client: Client, host: Element): void {
  const list = listOf(client, (item) => (item.display.pinned ? null : { label: client.texts.close, act: 'dismiss' }));
  shadowOf(host).replaceChildren(list.box);
  client.on('items', () => {
    const cards = client.items('card');
    list.draw([...cards.filter(isPinned), ...cards.filter((item) => !isPinned(item))]);
  });
}

function isPinned(item: Item): boolean {
  return !!item.display.pinned;
}

/** A button with the number of unread messages, and the panel that it opens. */
export function showInbox(client: Client, host: Element): void {
  const { texts } = client;
  const list = listOf(client, () => ({ label: texts.remove, act: 'delete' }));
  const count = el('span', { 'aria-hidden': 'true' });
  const spoken = el('span', { class: 'unseen' });
  const badge = el('span', { class: 'badge', hidden: '' }, count, spoken);
  const button = el('button', { type: 'button', class: 'bell', 'aria-controls': 'panel' }, texts.inbox, badge);
  const panel = el('section', { id: 'panel', class: 'panel', 'aria-label': texts.inbox }, list.box);
  const box = el('div', { class: 'inboxes' }, button, panel);
  shadowOf(host).replaceChildren(box);

  function open(isOpen: boolean): void {
    panel.hidden = !isOpen;
    button.ariaExpanded = `${isOpen}`;
    panel.classList.toggle('left', button.getBoundingClientRect().right < 400); // there is no room for the panel there
    if (!isOpen) list.settle();
  }

  open(false);
  button.addEventListener('click', () => open(!!panel.hidden));
  box.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || panel.hidden) return;
    event.preventDefault(); // one press closes one thing
    open(false);
    button.focus();
  });
  document.addEventListener('click', (event) => panel.hidden || event.composedPath().includes(host) || open(false));
  client.on('items', () => list.draw(client.items('inbox')));
  client.on('unread', ({ inbox }) => {
    badge.hidden = !inbox;
    count.textContent = inbox;
    spoken.textContent = ` ${texts.unread.replace('#', inbox)}`;
  });
}

/** The newest banner of each place that the page has. */
export function showBanners(client: Client): void {
  for (const host of document.querySelectorAll<HTMLElement>('[data-kizuna-place]')) {
    const item = client.items('banner').find(({ display }) => display.place === host.dataset.kizunaPlace);
    const drawn = item ? JSON.stringify([item.id, item.title, item.html]) : '';
    const root = shadowOf(host);
    if ((root as { drawn?: string }).drawn === drawn) continue;
    (root as { drawn?: string }).drawn = drawn;
    root.replaceChildren(...(item ? [bannerOf(client, item)] : []));
  }
}

function bannerOf(client: Client, item: Item): HTMLElement {
  const shut = closeButton(client.texts.close);
  const box = el(
    'section',
    { class: 'banner', 'aria-labelledby': titleId(item) },
    ...partsOf(item, 'h2'),
    item.display.close !== false && shut,
  );
  shut.addEventListener('click', () => client.drop(item, 'dismiss'));
  hearClicks(box, item, client);
  client.watch(box, item);
  return box;
}
