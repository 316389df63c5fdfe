/** The console's client: one function a call, typed by what the server answers (OpenAPI at /api/openapi.json). */

export interface Money { amount: string; currency: string }
export interface Page<T> { items: T[]; next_cursor: string | null }
export interface Workspace { id: string; name: string; clock: 'live' | 'test'; now: string; zone: string; currency: string }
export interface Me { name: string; email: string; role: string; workspaces: Workspace[] }

export interface SeriesPoint { start: string; orders: number; revenue: Money | null }
export interface Cohort { start: string; size: number; returned: (number | null)[] }
export interface JourneyCounts {
  entered: number; active: number; completed: number; goal: number;
  exited?: Record<string, number>; steps?: Record<string, StepCounts>;
}
export interface StepCounts { entered: number; waiting: number; left: number }
export interface Overview {
  at: string; profiles: number; events_total: number;
  segments: { name: string; title?: string | null; members: number }[];
  messages: Record<string, number>;
  orders: number; revenue: Money | null; aov: Money | null; repeat_rate: number | null;
  months: SeriesPoint[];
  retention: { cohorts: Cohort[] };
}
export interface MessageGroup { by: string | null; n: number; states: Record<string, number>; rates: Record<string, number | null> }
export interface MessageFunnel extends Omit<MessageGroup, 'by'> { groups?: MessageGroup[]; skipped_by_reason: Record<string, number> }

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Fields = Record<string, Json>;
export type Rule = Fields;

export type Identities = { type: string; id: string }[];
export interface ProfileRun {
  journey: string; version: number; run: string; key: string | null; step: string | null;
  state: 'active' | 'completed' | 'exited'; entered_at: string; left_at: string | null; exit_reason: string | null;
}
export interface Profile {
  id: string; identities: Identities; traits: Fields; computed?: Fields; consent?: Json;
  segments: string[]; journeys: ProfileRun[]; created_at: string; last_seen_at: string | null;
}
export interface ProfileRow { id: string; identities: Identities; traits?: Fields; segments?: string[]; created_at?: string; last_seen_at?: string | null; entered_at?: string }
export interface Entry {
  id: string; type: string; event: string | null; properties: Fields; timestamp: string;
  received_at?: string | null; message_id?: string | null; caused_by?: string | null;
}
export interface Why { answer: string | boolean; chain: { at: string | null; rule: Json; seen: Json; version: number | string | null; outcome: Json }[] }

export interface Segment { name: string; title?: string | null; where: Rule; version: number; size: number; state?: string }

export type Step = { id: string; next?: string } & Fields;
export interface JourneyDefinition { name?: string; title?: string; entry?: Fields; exit?: Fields[]; goal?: Fields; steps?: Step[] }
export interface JourneyRow { name: string; title?: string | null; status: string; version: number | null; counts: JourneyCounts }
export interface Journey extends JourneyRow { definition: JourneyDefinition }

export interface Campaign {
  name: string; title?: string | null; status?: string; state?: string; version?: number | null; segment?: string | null;
  definition?: Fields; launched_at?: string | null;
  counts?: CampaignCounts; [key: string]: unknown;
}
export interface CampaignCounts {
  planned?: number; sent?: number; delivered?: number; opened?: number; clicked?: number; converted?: number;
  human_opened?: number; human_clicked?: number; unsure_opened?: number; unsure_clicked?: number; machine_opened?: number; machine_clicked?: number;
  skipped?: number | Record<string, number>; revenue?: Money | null;
}
export interface Mail {
  id: string; message_id: string; profile: string; channel: string; to: string; subject: string | null; body: string;
  headers: Record<string, string> | [string, string][]; template: string | null;
  journey?: string | null; campaign?: string | null; step?: string | null; at: string;
}
export interface Answer { value?: Json; values?: Json; series?: { start: string; value: Json; n?: number }[]; unit?: string; n?: number; definition?: string; currency?: string }
export interface Clv { params: Record<string, number> | null; expected_purchases: number | null; expected_value: Money | null; n: number; alive?: number; note?: string; warning?: string }

/** A template as it is put; `locales` hold what is worded differently. Fields that the console does not know stay as they are. */
export type TemplateDocument = Fields;
export type TemplateRow = Fields & { name: string; version: number; published_at: string };
export interface PageButton { label: string; url: string; event: string }
export interface Rendered {
  content: {
    subject?: string; body: string;
    push?: { url?: string; icon?: string; image?: string };
    page?: { display: Fields; image: string; url: string; buttons: PageButton[] };
  };
  text?: string; locale?: string; aborted?: string; warnings: string[]; ms: number;
  sms?: { segments: number; encoding: string; units: number };
}
export interface Asked { inline: TemplateDocument; profile?: string; event?: Json; data?: Json; locale?: string }

/** What went wrong, in the server's words (RFC 9457); `status` 0 means the server could not be reached. */
export class Problem extends Error {
  constructor(readonly status: number, readonly code: string, message: string, readonly errors: { pointer: string; message: string }[] = []) {
    super(message);
  }
}

let workspace = '';
export const lookAt = (id: string): void => { workspace = id; };
export const signedOut = new EventTarget();

let written = '';
/** The position of the last write from here: a read `after` it sees what followed from it. */
export const lastWritten = (): string => written;

/** What an error is to those who are told of it. */
export const failure = (error: unknown): Problem => error instanceof Problem ? error : new Problem(0, 'error', String(error));

export async function call<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const answer = await answered(method, path, body, signal);
  return await answer.json().catch(() => null) as T;
}

/** A file that the server makes. */
export const file = async (path: string): Promise<Blob> => (await answered('GET', path)).blob();

async function answered(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (workspace) headers['Kizuna-Workspace'] = workspace;
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  let answer: Response;
  try {
    answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal, credentials: 'same-origin' });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem(0, 'offline', '');
  }
  if (method !== 'GET') written = answer.headers.get('Kizuna-Position') ?? written;
  if (answer.ok) return answer;
  const said = await answer.json().catch(() => null) as { code?: string; detail?: string; title?: string; errors?: [] } | null;
  if (answer.status === 401 && path.startsWith('/api/v1/')) signedOut.dispatchEvent(new Event('signed-out'));
  throw new Problem(answer.status, said?.code ?? 'error', said?.detail ?? said?.title ?? '', said?.errors ?? []);
}

export const get = <T>(path: string, query: Record<string, string | number | null | undefined> = {}, signal?: AbortSignal): Promise<T> => {
  const asked = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) if (value !== null && value !== undefined && value !== '') asked.set(key, String(value));
  const text = asked.toString();
  return call<T>('GET', text ? `${path}?${text}` : path, undefined, signal);
};
export const at = (name: string): string => encodeURIComponent(name);

/** A draft may be unfinished: what has no id yet cannot be drawn. */
const finished = (journey: Journey): Journey => {
  const steps = Array.isArray(journey.definition.steps) ? journey.definition.steps.filter((step) => typeof step?.id === 'string') : [];
  const exit = Array.isArray(journey.definition.exit) ? journey.definition.exit : [];
  return { ...journey, definition: { ...journey.definition, steps, exit } };
};

export const api = {
  state: () => get<{ needs_setup: boolean; signed_in?: boolean }>('/api/console/state'),
  setup: (owner: { token: string; name: string; email: string; password: string }) => call<Me>('POST', '/api/console/setup', owner),
  signIn: (who: { email: string; password: string }) => call<Me>('POST', '/api/console/sign-in', who),
  signOut: () => call<null>('POST', '/api/console/sign-out', {}),
  me: () => get<Me>('/api/console/me'),

  overview: (signal?: AbortSignal) => get<Overview>('/api/v1/overview', {}, signal),
  profiles: (query: { search?: string; segment?: string; cursor?: string | null; limit?: number }, signal?: AbortSignal) => get<Page<ProfileRow>>('/api/v1/profiles', query, signal),
  profile: (ref: string, signal?: AbortSignal) => get<Profile>(`/api/v1/profiles/${at(ref)}`, {}, signal),
  timeline: (ref: string, cursor?: string | null, signal?: AbortSignal) => get<Page<Entry>>(`/api/v1/profiles/${at(ref)}/timeline`, { cursor, limit: 50 }, signal),
  why: (ref: string, about: { message?: string; journey?: string; segment?: string }, signal?: AbortSignal) => get<Why>(`/api/v1/profiles/${at(ref)}/why`, about, signal),
  segments: (signal?: AbortSignal) => get<Page<Segment>>('/api/v1/segments', { limit: 200 }, signal),
  segment: (name: string, signal?: AbortSignal) => get<Segment>(`/api/v1/segments/${at(name)}`, {}, signal),
  members: (name: string, cursor?: string | null, signal?: AbortSignal) => get<Page<ProfileRow>>(`/api/v1/segments/${at(name)}/members`, { cursor, limit: 25 }, signal),
  journeys: (signal?: AbortSignal) => get<Page<JourneyRow>>('/api/v1/journeys', { limit: 200 }, signal),
  journey: (name: string, signal?: AbortSignal) => get<Journey>(`/api/v1/journeys/${at(name)}`, {}, signal).then(finished),
  campaigns: (signal?: AbortSignal) => get<Page<Campaign>>('/api/v1/campaigns', { limit: 200 }, signal),
  campaign: (name: string, signal?: AbortSignal) => get<Campaign>(`/api/v1/campaigns/${at(name)}`, {}, signal),
  templates: (cursor: string | null, signal?: AbortSignal) => get<Page<TemplateRow>>('/api/v1/templates', { cursor, limit: 500 }, signal),
  template: (name: string, signal?: AbortSignal) => get<TemplateRow>(`/api/v1/templates/${at(name)}`, {}, signal),
  putTemplate: (name: string, template: TemplateDocument) => call<{ version: number; warnings?: string[] }>('PUT', `/api/v1/templates/${at(name)}`, template),
  testTemplate: (name: string, asked: { to: string[]; profile?: string; data?: Json }) => call<{ messages: { to: string; id: string }[] }>('POST', `/api/v1/templates/${at(name)}/test`, asked),
  render: (asked: Asked, signal?: AbortSignal) => call<Rendered>('POST', '/api/v1/templates/render', asked, signal),
  outbox: (cursor?: string | null, signal?: AbortSignal) => get<Page<Mail>>('/api/v1/outbox', { cursor, limit: 30 }, signal),
  providers: (signal?: AbortSignal) => get<Page<{ name: string; kind: string; channel: string; settings?: Fields }>>('/api/v1/providers', {}, signal),
  insight: (metric: string, query: Record<string, string>, signal?: AbortSignal) => get<Answer>(`/api/v1/insight/${metric}`, query, signal),
  messages: (query: Record<string, string>, signal?: AbortSignal) => get<MessageFunnel>('/api/v1/insight/messages', query, signal),
  retention: (asked: unknown, signal?: AbortSignal) => call<{ cohorts: Cohort[] }>('POST', '/api/v1/insight/retention', asked, signal),
  clv: (asked: unknown, signal?: AbortSignal) => call<Clv>('POST', '/api/v1/insight/clv', asked, signal),
};
