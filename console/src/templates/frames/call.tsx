import { useSpeech } from '../../i18n';
import type { Shown } from '../preview';
import { Face } from './device';

/** What somebody who calls reads from the screen. */
export function CallFrame({ shown }: { shown: Shown }) {
  const { t } = useSpeech();
  return (
    <article className="script">
      <header><Face name={shown.to || '?'} /><p><b>{shown.to || t('preview.call.nobody')}</b><small>{t('preview.call.script')}</small></p></header>
      <p className="script-said">{shown.body.trim()}</p>
    </article>
  );
}
