import { at, call, type Fields, get, type Json, lastWritten, type Page } from '../api';

export interface Warning { pointer: string; code: string; message: string }
export interface Provider {
  name: string; kind: string; channel: string; settings: Fields; secrets: string[]; rate: number; lane: string | null;
  warm_up: Fields | null; domains: Record<string, { per_day: number }>; reports_url: string | null;
  warnings: Warning[]; dns: { type: string; name: string; value: string }[];
  today?: { date: string; allowed: number | null; used: number; domains: Record<string, { allowed: number; used: number }> } | null;
  made?: Fields; // secrets that somebody else needs, told this once
}
export interface KindField { name: string; type: 'text' | 'whole_number' | 'number' | 'choice' | 'json'; is_required: boolean; is_secret: boolean; default: Json; choices: string[] }
export interface Kind { kind: string; channel: string | null; is_local: boolean; reports: boolean; fields: KindField[] }
export interface Rest { lane: string; failures: number; reason: string; at: string; rests_until: string }
export interface Channel { channel: string; state: 'running' | 'paused'; provider: string | null; waiting: number; paused?: { reason?: string; by?: string; at: string } }
export interface Sending { items: Channel[]; rests: Rest[] }
export interface Checked { domain: string; ok: boolean; records: { name: string; type: string; expected: string; found: string | null; ok: boolean; advice: { code: string; en: string; ja: string } | null }[] }
export interface Trouble { state: 'unknown' | 'rejected'; channel: string; messages: number; latest_at: string }
export interface Message {
  id: string; profile: string; state: string; reason: string | null; trouble: string | null; channel: string; template: string | null; journey: string | null; campaign: string | null;
  transactional: boolean; planned_at: string; provider: string | null; address: string | null; attempts: number;
}
export interface Suppression { channel: string; address: string; reason: string; at: string }
export interface Feed {
  name: string; to: Fields & { kind: string }; events: string[]; state: string; rows_ahead?: number; entries?: number; refused?: number; tries?: number;
  trouble?: string | null; next_at?: string | null; told_at?: string | null;
}
export interface Setting { kind: string; channel?: string; settings: Fields; rate: number; lane: string | null; warm_up: Fields | null; domains: Fields }

const one = (name: string): string => `/api/v1/providers/${at(name)}`;

export const delivery = {
  providers: (signal?: AbortSignal) => get<Page<Provider>>('/api/v1/providers', {}, signal),
  provider: (name: string, signal?: AbortSignal) => get<Provider>(one(name), {}, signal),
  kinds: (signal?: AbortSignal) => get<Page<Kind>>('/api/v1/provider-kinds', {}, signal),
  put: (name: string, setting: Setting) => call<Provider>('PUT', one(name), setting),
  check: (name: string, host: string) => call<Checked>('POST', `${one(name)}/check`, host ? { host } : {}),
  sending: (signal?: AbortSignal) => get<Sending>('/api/v1/sending', {}, signal),
  pause: (channel: string) => call<unknown>('POST', `/api/v1/sending/${at(channel)}/pause`, {}),
  resume: (channel: string) => call<unknown>('POST', `/api/v1/sending/${at(channel)}/resume`, {}),
  troubles: (signal?: AbortSignal) => get<Page<Trouble>>('/api/v1/messages/troubles', {}, signal),
  messages: (state: string, cursor: string | null, signal?: AbortSignal) => get<Page<Message>>('/api/v1/messages', { state, cursor, limit: 50 }, signal),
  message: (id: string, signal?: AbortSignal) => get<Message>(`/api/v1/messages/${at(id)}`, { after: lastWritten() }, signal),
  resend: (id: string) => call<unknown>('POST', `/api/v1/messages/${at(id)}/resend`, {}),
  say: (said: { channel: string; template: string; to?: string; profile?: string; transactional: boolean }) => call<{ id: string }>('POST', '/api/v1/messages', said),
  suppressions: (query: { search: string; channel: string; cursor: string | null }, signal?: AbortSignal) => get<Page<Suppression>>('/api/v1/suppressions', { ...query, limit: 50 }, signal),
  feeds: (signal?: AbortSignal) => get<Page<Feed>>('/api/v1/feeds', {}, signal),
  pauseFeed: (name: string) => call<Feed>('POST', `/api/v1/feeds/${at(name)}/pause`, {}),
  resumeFeed: (name: string) => call<Feed>('POST', `/api/v1/feeds/${at(name)}/resume`, {}),
};
