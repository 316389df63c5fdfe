import type { Translate } from '../i18n';

/** What servers and libraries say when something fails, and what it means to whoever set them up. The first that fits. */
const MEANINGS = [
  [/sender_lost/, 'trouble.sender_lost'],
  [/5\.1\.1|no such user|user unknown|UNREGISTERED|BadDeviceToken/i, 'trouble.nobody'],
  [/5\.7\.|policy|blocked|spam/i, 'trouble.policy'],
  [/template_error|template_limit/, 'trouble.template'],
  [/invalid_address/, 'trouble.address'],
  [/does_not_fit|no_font/, 'trouble.paper'],
  [/gaierror|name or service|getaddrinfo|nodename|resolve/i, 'trouble.name'],
  [/certificate|ssl|tls/i, 'trouble.tls'],
  [/timed? ?out/i, 'trouble.slow'],
  [/ConnectionRefused|connection refused/i, 'trouble.refused'],
  [/disconnected|closed|reset|broken pipe/i, 'trouble.hung_up'],
  [/\b(401|403|535)\b|authenticat|unauthori[sz]ed|invalid.*(key|token)/i, 'trouble.login'],
  [/\b429\b|rate limit|too many/i, 'trouble.too_fast'],
  [/\b5\d\d\b/, 'trouble.down'],
] as const;

/** In plain words, where we know what it means; empty where the server's own words must do. */
export function plainly(reason: string, t: Translate): string {
  const found = MEANINGS.find(([pattern]) => pattern.test(reason));
  return found ? t(found[1]) : '';
}
