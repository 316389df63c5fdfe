/** An in-app message: a dialog in the middle, over the whole screen, or sliding in at an edge. */
import type { Client } from '../client.ts';
import type { Ending } from '../stage.ts';
import type { Item } from '../wire.ts';
import { el, shadowOf } from './dom.ts';
import { closeButton, hearClicks, partsOf, titleId } from './item.ts';

/** Shows it and answers how to take it away. */
export function showMessage(item: Item, client: Client, ended: (ending: Ending) => void): () => void {
  const { layout = 'modal', position = 'bottom', close } = item.display;
  const isModal = layout !== 'slide_up';
  const hasClose = close !== false || !item.buttons?.length;
  const shut = closeButton(client.texts.close);
  const box = el(
    'dialog',
    {
      class: `message ${layout} ${position.replace(/[_-]/g, ' ')}`,
      role: 'dialog',
      'aria-modal': isModal && 'true',
      'aria-labelledby': titleId(item),
      tabindex: '-1',
    },
    el('div', { class: 'body' }, ...partsOf(item, 'h2'), hasClose && shut),
  );
  const status = el('p', { role: 'status', class: 'unseen' });
  const host = el('div');
  shadowOf(host).append(box, status);
  document.body.append(host);

  const escape = (event: KeyboardEvent) => event.key === 'Escape' && !event.defaultPrevented && end();
  if (isModal) {
    box.showModal();
    box.focus();
    box.addEventListener('keydown', (event) => event.key === 'Tab' && keepInside(box, event));
    box.addEventListener('click', (event) => event.target === box && hasClose && end());
    box.addEventListener('cancel', (event) => {
      event.preventDefault();
      end();
    });
  } else {
    box.setAttribute('open', ''); // `show()` would take the focus from what the visitor does
    document.addEventListener('keydown', escape);
    setTimeout(() => (status.textContent = item.title), 100); // a status speaks when it changes
  }
  shut.addEventListener('click', () => end());
  hearClicks(box, item, client, (button) => end(button ?? true));
  client.watch(box, item);

  function takeAway(): void {
    document.removeEventListener('keydown', escape);
    if (isModal) box.close(); // gives the focus back
    host.remove();
  }
  function end(ending?: Ending): void {
    if (!host.isConnected) return;
    takeAway();
    ended(ending);
  }
  return takeAway;
}

/** The browser lets Tab wander to its own bars; ours goes round. */
function keepInside(box: HTMLElement, event: KeyboardEvent): void {
  const stops = [...box.querySelectorAll<HTMLElement>('a[href],button,input,select,textarea,[tabindex="0"]')];
  const at = stops.indexOf((box.getRootNode() as ShadowRoot).activeElement as HTMLElement);
  const to = event.shiftKey ? (at < 1 ? stops.length - 1 : -1) : at === stops.length - 1 ? 0 : -1;
  if (to >= 0) {
    event.preventDefault();
    stops[to]?.focus();
  }
}
