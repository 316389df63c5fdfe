import { useSpeech } from '../i18n';
import { PagesOf } from '../parts/pages-of';

/** Calls and letters are one area: what people carry. */
export function ByHand({ here }: { here: string }) {
  const { t } = useSpeech();
  return <PagesOf label={t('nav.calls')} here={here} pages={[{ to: '/calls', name: t('calls.title') }, { to: '/letters', name: t('letters.title') }]} />;
}
