import { call, get, type Page } from '../api';

export interface Batch { number: number; state: 'closed' | 'posted'; provider: string; letters: number; parts: number; returned: number; redeemed: number; closed_at: string; posted_at: string | null }
export interface Batches extends Page<Batch> { open: { letters: number } }

const base = '/api/v1/letters';

export const letters = {
  batches: (cursor: string | null, signal?: AbortSignal) => get<Batches>(`${base}/batches`, { limit: 20, cursor }, signal),
  close: () => call<{ items: Batch[] }>('POST', `${base}/batches`, {}),
  posted: (number: number) => call<Batch>('POST', `${base}/batches/${number}/posted`, {}),
  returned: (codes: string[], reason: string) => call<{ taken: number; unknown: string[] }>('POST', `${base}/returned`, { codes, ...(reason ? { reason } : {}) }),
  pdf: (number: number, part: number): string => `${base}/batches/${number}/letters.pdf?part=${part}`,
  csv: (number: number): string => `${base}/batches/${number}/letters.csv`,
};
