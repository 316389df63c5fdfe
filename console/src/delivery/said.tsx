import { useSpeech } from '../i18n';
import { plainly } from './plainly';

/** A failure in plain words, with what was really said below. */
export function Said({ reason }: { reason: string }) {
  const { t, maybe } = useSpeech();
  const known = maybe(`reason.${reason}`, '') || plainly(reason, t);
  return <span className="reason">{known || reason}{known && known !== reason && <small className="mono">{reason}</small>}</span>;
}
