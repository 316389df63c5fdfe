import { at, call, get, type Page } from '../api';

export interface CallList { list: string; open: number; later: number; next_at: string | null; taken: number; done: number }
/** A line of a list; number and script are there for whoever took it. */
export interface Entry {
  id: string; profile: string; state: 'open' | 'taken' | 'done' | 'withdrawn'; list: string; name: string; zone: string; priority: number; tries: number;
  taken_by: string | null; taken_until: string | null; next_at: string | null; expires_at: string; outcome: string | null; note: string | null;
  journey?: string; campaign?: string; step?: string; phone?: string; subject?: string | null; script?: string;
}
export type Taken = Entry & { phone: string; script: string };
export interface Outcome { outcome: string; note: string; callback_at?: string }

const base = '/api/v1/calls';

export const calls = {
  lists: (signal?: AbortSignal) => get<Page<CallList>>(`${base}/lists`, {}, signal),
  open: (list: string | null, cursor: string | null, signal?: AbortSignal) => call<Page<Entry>>('GET', `${base}?limit=20${list === null ? '' : `&list=${at(list)}`}${cursor ? `&cursor=${at(cursor)}` : ''}`, undefined, signal),
  mine: (signal?: AbortSignal) => get<Page<Taken>>(base, { state: 'taken', mine: 'true' }, signal),
  next: (list: string | null) => call<{ call: Taken | null }>('POST', `${base}/next`, { list }),
  take: (id: string) => call<Taken>('POST', `${base}/${at(id)}/take`, {}),
  conclude: (id: string, said: Outcome) => call<Entry>('POST', `${base}/${at(id)}/outcome`, said),
};
