/** How a provider stands: what of it is in use, and whether it answers. */
import type { Channel, Provider, Rest, Sending } from './api';

const IN_PAGE = ['in_app', 'card', 'banner', 'inbox'];

/** Of hooks each is used where a step names it; of other channels the provider that was set last. */
export function isInUse(provider: Provider, sending: Sending): boolean {
  if (provider.channel === 'webhook') return true;
  return sending.items.some((one) => one.provider === provider.name);
}

export const channelsOf = (provider: Provider, sending: Sending): Channel[] =>
  sending.items.filter((one) => one.channel === provider.channel || (provider.channel === 'in_page' && IN_PAGE.includes(one.channel)));

/** What the sender wrote down when it did not answer; it may be over by now. */
export function restOf(provider: Provider, sending: Sending): Rest | undefined {
  const lane = provider.lane ? `lane ${provider.lane}` : provider.channel === 'webhook' ? `webhook:${provider.name}` : provider.channel;
  return isInUse(provider, sending) ? sending.rests.find((one) => one.lane === lane) : undefined;
}
