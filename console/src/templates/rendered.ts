import { useEffect, useState } from 'react';
import { api, Problem, type Rendered, type TemplateDocument } from '../api';
import { localesOf } from './draft';
import type { Whom } from './whom';

const PAUSE = 300;
const DEFAULT = 'und'; // a tag that no wording has: the default one is shown

export interface Seen { rendered: Rendered | undefined; problem: Problem | undefined; busy: boolean }

/** What the server makes of a draft, a moment after the last change; while it cannot be rendered, the last that could be. */
export function useRendered(draft: TemplateDocument, whom: Whom, locale: string): Seen {
  const [seen, setSeen] = useState<Seen>({ rendered: undefined, problem: undefined, busy: true });
  const asked = JSON.stringify({
    inline: draft, profile: whom.profile?.id, event: whom.event, data: whom.data,
    locale: locale || (localesOf(draft).length ? DEFAULT : undefined),
  });
  useEffect(() => {
    const stop = new AbortController();
    const ask = async (): Promise<void> => {
      setSeen((before) => ({ ...before, busy: true }));
      try {
        const rendered = await api.render(JSON.parse(asked), stop.signal);
        if (!stop.signal.aborted) setSeen({ rendered, problem: undefined, busy: false });
      } catch (error) {
        if (stop.signal.aborted) return;
        const problem = error instanceof Problem ? error : new Problem(0, 'error', String(error));
        setSeen((before) => ({ rendered: before.rendered, problem, busy: false }));
      }
    };
    const wait = window.setTimeout(() => void ask(), PAUSE);
    return () => {
      window.clearTimeout(wait);
      stop.abort();
    };
  }, [asked]);
  return seen;
}
