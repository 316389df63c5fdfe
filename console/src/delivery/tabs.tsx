import { number } from '../format';
import { useSpeech } from '../i18n';
import { useLoad } from '../load';
import { PagesOf } from '../parts/pages-of';
import { useWorkspace } from '../session';
import { delivery } from './api';

export const TABS = ['channels', 'messages', 'suppressions', 'feeds'] as const;
export type Tab = (typeof TABS)[number];
export const addressOf = (tab: Tab): string => tab === 'channels' ? '/delivery' : `/delivery?show=${tab}`;

/** The parts of delivery; how many messages want a look is said beside their name. */
export function Tabs({ here }: { here: Tab }) {
  const { t, language } = useSpeech();
  const space = useWorkspace();
  const troubles = useLoad(`troubles ${space.id}`, (signal) => delivery.troubles(signal), 10_000).data?.items ?? [];
  const count = troubles.reduce((sum, one) => sum + one.messages, 0);
  return <PagesOf label={t('delivery.parts')} here={addressOf(here)} pages={TABS.map((tab) => ({ to: addressOf(tab), name: t(`delivery.${tab}`), count: tab === 'messages' && count > 0 ? number(count, language) : undefined }))} />;
}
