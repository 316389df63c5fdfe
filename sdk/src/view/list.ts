/** A list of items as articles, kept while they do not change, so that focus and place stay. */
import type { Client } from '../client.ts';
import type { Item, Kind } from '../wire.ts';
import { el } from './dom.ts';
import { closeButton, hearClicks, partsOf, titleId } from './item.ts';

export interface List {
  box: HTMLElement;
  draw(items: Item[]): void;
}

/** `remove` names the button that takes an item away; null for an item that stays. */
export function listOf(client: Client, kind: Kind, remove: (item: Item) => { label: string; act: 'dismiss' | 'delete' } | null): List {
  const box = el('div', { role: 'feed', class: kind, tabindex: '-1', 'aria-label': client.texts.inbox });
  const empty = el('p', { class: 'empty' }, client.texts.empty);
  let drawn = new Map<string, HTMLElement>();

  box.addEventListener('keydown', ({ key }) => {
    const step = { PageDown: 1, PageUp: -1 }[key];
    const all = [...drawn.values()];
    const at = all.findIndex((one) => one.matches(':focus,:focus-within'));
    if (step) all[at + step]?.focus();
  });

  function articleOf(item: Item): HTMLElement {
    const away = remove(item);
    const shut = away && closeButton(`${away.label}: ${item.title}`);
    const article = el('article', { tabindex: '0', 'aria-labelledby': titleId(item) }, ...partsOf(item, 'h3'), shut);
    if (!item.read) {
      article.classList.add('unread');
      article.querySelector('h3')!.prepend(el('span', { class: 'new' }, client.texts.isNew));
    }
    shut?.addEventListener('click', () => {
      const near = (article.nextElementSibling ?? article.previousElementSibling) as HTMLElement | null;
      client.drop(item, away!.act);
      (near?.isConnected ? near : box).focus();
    });
    hearClicks(article, item, client);
    client.watch(article, item);
    return article;
  }

  return {
    box,
    draw(items) {
      const before = drawn;
      drawn = new Map();
      for (const item of items) {
        const { token: _, read: __, ...shown } = item;
        const key = JSON.stringify(shown);
        drawn.set(key, before.get(key) ?? articleOf(item));
      }
      for (const [key, gone] of before) if (!drawn.has(key)) gone.remove();
      [...drawn.values()].forEach((article, index) => {
        article.ariaPosInSet = `${index + 1}`;
        article.ariaSetSize = `${items.length}`;
        if (box.children[index] !== article) box.insertBefore(article, box.children[index] ?? null);
      });
      if (items.length) empty.remove();
      else box.replaceChildren(empty);
    },
  };
}
