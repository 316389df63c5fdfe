/** Elements made without markup, and the one place where a message's markup becomes elements. */
import { trusted } from '../trusted.ts';
import css from './style.css';

type Child = Node | string | false | null | undefined;

export function el<T extends keyof HTMLElementTagNameMap>(
  tag: T,
  attributes: Record<string, string | false | null | undefined> = {},
  ...children: Child[]
): HTMLElementTagNameMap[T] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes))
    if (typeof value === 'string') made.setAttribute(name, value);
  made.append(...children.filter((child) => child !== false && child != null));
  return made;
}

let sheet: CSSStyleSheet | undefined;

/** A root of our own in the element: the site's styles stay out, ours stay in. */
export function shadowOf(host: Element): ShadowRoot {
  if (host.shadowRoot) return host.shadowRoot;
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
  }
  const root = host.attachShadow({ mode: 'open' });
  root.adoptedStyleSheets = [sheet];
  return root;
}

/** An address that a link may have, else undefined: never one that runs script. */
export function safe(url: string | null | undefined): string | undefined {
  try {
    return url && /^(https?|mailto|tel):$/.test(new URL(url, location.href).protocol) ? url : undefined;
  } catch {
    return undefined;
  }
}

/** Markup that the server cleaned. Handlers are taken out once more; styles go the way that a strict policy permits. */
export function markup(html: string): DocumentFragment {
  const template = el('template');
  // An inline style would be reported as a violation while it is parsed: it is parsed under another name.
  template.innerHTML = trusted('createHTML', html.replace(/(<[^>]*\s)style(\s*=)/gi, '$1data-style$2'));
  for (const one of template.content.querySelectorAll<HTMLElement>('*')) {
    for (const { name, value } of [...one.attributes]) {
      if (/^on/.test(name) || (/^(href|src)$/.test(name) && !safe(value))) one.removeAttribute(name);
    }
    const style = one.dataset.style;
    if (style) one.style.cssText = style;
    one.removeAttribute('data-style');
  }
  return template.content;
}
