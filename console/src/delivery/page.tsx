import type { ComponentType } from 'react';
import { useSpeech } from '../i18n';
import { Page } from '../parts/page';
import { useQuery } from '../router';
import { Channels } from './channels';
import { Feeds } from './feeds';
import { Messages } from './messages';
import { Suppressions } from './suppressions';
import { type Tab, Tabs, TABS } from './tabs';
import '../style/delivery.css';

const shown: Record<Tab, ComponentType> = { channels: Channels, messages: Messages, suppressions: Suppressions, feeds: Feeds };

/** Who carries what, what got stuck, to whom nothing goes any more, and where the log goes on to. */
export default function Delivery() {
  const { t } = useSpeech();
  const asked = useQuery().get('show');
  const here = TABS.find((tab) => tab === asked) ?? 'channels';
  const Shown = shown[here];
  return (
    <Page title={t('delivery.title')} lead={t(`delivery.${here}.lead`)}>
      <Tabs here={here} />
      <Shown />
    </Page>
  );
}
