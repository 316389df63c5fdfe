import { useCallback, useEffect, useRef, useState } from 'react';
import { Problem } from './api';

export interface Loaded<T> { data: T | undefined; problem: Problem | undefined; reload: () => void }

// The last answer by key: going back to a page shows it at once while the fresh one is on its way.
const seen = new Map<string, unknown>();
export const forgetAll = (): void => seen.clear();

/** Load what `key` names; with `every`, ask again at that pace while the page is visible. `null` loads nothing. */
export function useLoad<T>(key: string | null, load: (signal: AbortSignal) => Promise<T>, every = 0): Loaded<T> {
  const [state, setState] = useState<{ key: string | null; data?: T; problem?: Problem }>({ key });
  const [turn, setTurn] = useState(0);
  const latest = useRef(load);
  latest.current = load;

  useEffect(() => {
    if (key === null) return;
    const stop = new AbortController();
    let timer = 0;
    const ask = async (): Promise<void> => {
      try {
        const data = await latest.current(stop.signal);
        if (stop.signal.aborted) return;
        seen.set(key, data);
        setState({ key, data });
      } catch (error) {
        if (stop.signal.aborted) return;
        const problem = error instanceof Problem ? error : new Problem(0, 'error', String(error));
        setState((before) => ({ key, data: before.key === key ? before.data : undefined, problem }));
      }
      if (every) timer = window.setTimeout(again, every);
    };
    const again = (): void => {
      if (document.visibilityState === 'visible') void ask();
      else document.addEventListener('visibilitychange', again, { once: true });
    };
    void ask();
    return () => {
      stop.abort();
      window.clearTimeout(timer);
      document.removeEventListener('visibilitychange', again);
    };
  }, [key, every, turn]);

  const reload = useCallback(() => setTurn((n) => n + 1), []);
  const current = state.key === key ? state : { key };
  const remembered = key === null ? undefined : (seen.get(key) as T | undefined);
  return { data: current.data ?? remembered, problem: current.problem, reload };
}

/** A list read page by page: `more` appends the next one. */
export function usePages<T>(key: string, load: (cursor: string | null, signal: AbortSignal) => Promise<{ items: T[]; next_cursor: string | null }>) {
  const first = useLoad(key, (signal) => load(null, signal));
  const [tail, setTail] = useState<{ key: string; items: T[]; cursor: string | null }>();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const grown = tail?.key === key ? tail : undefined;
  const cursor = grown ? grown.cursor : first.data?.next_cursor ?? null;

  const more = async (): Promise<void> => {
    if (!cursor || busy) return;
    setBusy(true);
    setProblem(undefined);
    try {
      const page = await load(cursor, new AbortController().signal);
      setTail({ key, items: [...(grown?.items ?? []), ...page.items], cursor: page.next_cursor });
    } catch (error) {
      setProblem(error instanceof Problem ? error : new Problem(0, 'error', String(error)));
    }
    setBusy(false);
  };
  const items = first.data ? [...first.data.items, ...(grown?.items ?? [])] : undefined;
  return { items, problem: problem ?? first.problem, reload: first.reload, more: cursor ? more : undefined, busy };
}

/** What was shown stays until the next is there: of the same thing read anew, nothing flickers. */
export function useKept<T>(value: T | undefined, of: string): T | undefined {
  const last = useRef<{ of: string; value: T }>(undefined);
  if (value !== undefined) last.current = { of, value };
  return value ?? (last.current?.of === of ? last.current.value : undefined);
}
