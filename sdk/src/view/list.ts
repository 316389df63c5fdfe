/** A list of items as articles, kept while they do not change, so that focus and place stay. */
import type { Client } from '../client.ts';
import type { Item } from '../wire.ts';
import { el } from './dom.ts';
import { closeButton, hearClicks, partsOf, titleId } from './item.ts';

export interface List {
  box: HTMLElement;
  draw(items: Item[]): void;
  /** What was read meanwhile is not marked as new any more. */
  settle(): void;
}

/** What takes an item away: the name of its button, and what that means. */
export type Away = { label: string; act: 'dismiss' | 'delete' };

/** `away` answers null for an item that stays. */
export function listOf(client: Client, away: (item: Item) => Away | null): List {
  const { texts } = client;
  const box = el('div', { role: 'feed', tabindex: '-1', 'aria-label': texts.inbox });
  const empty = el('p', { class: 'empty' }, texts.empty);
  const marks = new Map<Item, Element>();
  let drawn = new Map<string, HTMLElement>();

  box.addEventListener('keydown', (event) => {
    const step = { PageDown: 1, PageUp: -1 }[event.key];
    const all = [...drawn.values()];
    const to = step && all[all.findIndex((one) => one.matches(':focus,:focus-within')) + step];
    if (!to) return;
    event.preventDefault();
    to.focus();
  });

  function articleOf(item: Item): HTMLElement {
    const how = away(item);
    const shut = how && closeButton(`${how.label}: ${item.title}`);
    const article = el('article', { tabindex: '0', 'aria-labelledby': titleId(item) }, ...partsOf(item, 'h3'), shut);
    if (!item.read) {
      const mark = el('span', { class: 'new' }, texts.isNew);
      article.querySelector('h3')!.prepend(mark);
      marks.set(item, mark);
    }
    shut?.addEventListener('click', () => {
      const near = (article.nextElementSibling ?? article.previousElementSibling) as HTMLElement | null;
      client.drop(item, how!.act);
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
    settle() {
      for (const [item, mark] of marks) if (item.read) mark.remove();
    },
  };
}
