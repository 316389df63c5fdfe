/** What all kinds of items look like inside: image, title, text, buttons. */
import type { Client } from '../client.ts';
import type { Item } from '../wire.ts';
import { el, markup, safe } from './dom.ts';

/** The parts of an item; `heading` carries its name under the id `t-<item id>`. */
export function partsOf(item: Item, heading: 'h2' | 'h3'): HTMLElement[] {
  const address = safe(item.url);
  const parts: HTMLElement[] = [];
  if (safe(item.image)) parts.push(el('img', { src: item.image!, alt: '' }));
  const title = address ? el('a', { href: address, class: 'whole' }, item.title) : item.title;
  parts.push(el(heading, { id: titleId(item) }, title));
  if (item.text) parts.push(el('p', { class: 'html' }, item.text));
  if (item.html) parts.push(el('div', { class: 'html' }, markup(item.html)));
  if (item.buttons?.length) parts.push(el('div', { class: 'buttons' }, ...item.buttons.map(buttonOf)));
  return parts;
}

export function titleId(item: Item): string {
  return `t-${item.id}`;
}

function buttonOf({ id, label, url }: { id: string; label: string; url?: string | null }): HTMLElement {
  const address = safe(url);
  return address
    ? el('a', { class: 'button', href: address, 'data-id': id }, label)
    : el('button', { class: 'button', type: 'button', 'data-id': id }, label);
}

export function closeButton(label: string): HTMLButtonElement {
  return el('button', { class: 'close', type: 'button', 'aria-label': label }, '\u00d7');
}

/** Tells Kizuna of clicks on links and buttons of the item, then the caller. */
export function hearClicks(
  box: HTMLElement,
  item: Item,
  client: Client,
  clicked: (button?: string) => void = () => {},
): void {
  box.addEventListener('click', (event) => {
    const on = (event.target as Element).closest<HTMLElement>('a[href],[data-id]');
    if (!on) return;
    client.clicked(item, on.dataset.id);
    clicked(on.dataset.id);
  });
}
