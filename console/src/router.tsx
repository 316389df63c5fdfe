import { type AnchorHTMLAttributes, type MouseEvent, useEffect, useSyncExternalStore } from 'react';

const moved = new EventTarget();
const listen = (hear: () => void): (() => void) => {
  moved.addEventListener('moved', hear);
  return () => moved.removeEventListener('moved', hear);
};
const tell = (): void => {
  here = window.location.href;
  moved.dispatchEvent(new Event('moved'));
};
let here = window.location.href;
window.addEventListener('popstate', () => {
  if (mayLeave()) tell();
  else window.history.pushState(null, '', here); // the browser went back already: go where we were
});

// Who has something unsaved is asked before the page changes.
let asks: (() => boolean) | undefined;

/** Whether what is unsaved may be lost; asked once, then it is lost. */
export function mayLeave(): boolean {
  if (asks && !asks()) return false;
  asks = undefined;
  return true;
}

/** While `unsaved`, leaving this page asks `question` first: by a link, the browser's buttons, or closing the window. */
export function useUnsaved(unsaved: boolean, question: string): void {
  useEffect(() => {
    if (!unsaved) return;
    const ask = (): boolean => window.confirm(question);
    const close = (event: BeforeUnloadEvent): void => event.preventDefault();
    asks = ask;
    window.addEventListener('beforeunload', close);
    return () => {
      if (asks === ask) asks = undefined;
      window.removeEventListener('beforeunload', close);
    };
  }, [unsaved, question]);
}

export const usePath = (): string => useSyncExternalStore(listen, () => window.location.pathname);
export const useQuery = (): URLSearchParams => new URLSearchParams(useSyncExternalStore(listen, () => window.location.search));

export function navigate(to: string, replace = false): void {
  const isElsewhere = new URL(to, here).pathname !== window.location.pathname;
  if (isElsewhere && !mayLeave()) return;
  if (to !== window.location.pathname + window.location.search) window.history[replace ? 'replaceState' : 'pushState'](null, '', to);
  tell();
}

/** A link inside the console; with a modifier key or another button the browser does what it always does. */
export function Link({ to, onClick, ...rest }: { to: string } & Omit<AnchorHTMLAttributes<HTMLAnchorElement>, 'href'>) {
  const follow = (event: MouseEvent<HTMLAnchorElement>): void => {
    onClick?.(event);
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    navigate(to);
  };
  return <a href={to} onClick={follow} {...rest} />;
}

/** Path below a section, decoded: `/segments/a%2Fb` is `['segments', 'a/b']`. */
export const parts = (path: string): string[] => path.split('/').filter(Boolean).map((part) => {
  try { return decodeURIComponent(part); } catch { return part; }
});
export const to = (...names: string[]): string => `/${names.map(encodeURIComponent).join('/')}`;
