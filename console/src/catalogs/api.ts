import { at, get, type Fields, type Page } from '../api';

export interface Catalog { name: string; item_count: number; fields: Fields; selections: { name: string }[]; version: number; published_at: string }
export interface Promotion { name: string; version: number; published_at: string; per_profile?: number; codes?: Record<'free' | 'reserved' | 'committed' | 'redeemed', number> }

export const catalogs = {
  catalogs: (cursor: string | null, signal?: AbortSignal) => get<Page<Catalog>>('/api/v1/catalogs', { cursor, limit: 100 }, signal),
  promotions: (cursor: string | null, signal?: AbortSignal) => get<Page<Promotion>>('/api/v1/promotions', { cursor, limit: 25 }, signal),
  promotion: (name: string, signal?: AbortSignal) => get<Promotion>(`/api/v1/promotions/${at(name)}`, {}, signal),
};
