import { type AnchorHTMLAttributes, type MouseEvent, useSyncExternalStore } from 'react';

const moved = new EventTarget();
const listen = (hear: () => void): (() => void) => {
  window.addEventListener('popstate', hear);
  moved.addEventListener('moved', hear);
  return () => {
    window.removeEventListener('popstate', hear);
    moved.removeEventListener('moved', hear);
  };
};

export const usePath = (): string => useSyncExternalStore(listen, () => window.location.pathname);
export const useQuery = (): URLSearchParams => new URLSearchParams(useSyncExternalStore(listen, () => window.location.search));

export function navigate(to: string, replace = false): void {
  if (to !== window.location.pathname + window.location.search) window.history[replace ? 'replaceState' : 'pushState'](null, '', to);
  moved.dispatchEvent(new Event('moved'));
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
