import { number } from '../../format';
import { useSpeech } from '../../i18n';
import type { Shown } from '../preview';
import { Face, Phone } from './device';

const ROOM: Record<string, [number, number]> = { 'GSM-7': [160, 153], 'UCS-2': [70, 67] };

/** A text message as a bubble, and what it costs: each segment is paid for. */
export function SmsFrame({ shown }: { shown: Shown }) {
  const { t, language } = useSpeech();
  const said = shown.text.trim();
  const sms = shown.rendered.sms;
  const [one, each] = ROOM[sms?.encoding ?? ''] ?? [160, 153];
  const room = sms && sms.segments > 1 ? sms.segments * each : one;
  return (
    <>
      <Phone kind="sms">
        <header className="chat-head chat-head-centre"><Face name={shown.from} /><b>{shown.from}</b></header>
        <div className="chat">
          <p className="chat-time">{t('preview.sms.kind')}</p>
          {said && <p className="bubble">{said}</p>}
        </div>
      </Phone>
      {sms && (
        <dl className="sms-count">
          <div><dt>{t('preview.sms.segments')}</dt><dd className={sms.segments > 1 ? 'sms-many' : undefined}>{number(sms.segments, language)}</dd></div>
          <div><dt>{t('preview.sms.encoding')}</dt><dd>{sms.encoding}</dd></div>
          <div><dt>{t('preview.sms.units')}</dt><dd>{number(sms.units, language)} / {number(room, language)}</dd></div>
        </dl>
      )}
      {sms?.encoding === 'UCS-2' && <p className="note">{t('preview.sms.ucs2')}</p>}
    </>
  );
}
