import { SegmentedControl } from '@mantine/core';
import { useState } from 'react';
import { useSpeech } from '../../i18n';
import { useWorkspace } from '../../session';
import type { Shown } from '../preview';
import { Face, Phone, Picture } from './device';

/** A push on the lock screen: two lines first, all of it when it is pulled open. */
export function PushFrame({ shown }: { shown: Shown }) {
  const { t, language } = useSpeech();
  const space = useWorkspace();
  const [view, setView] = useState('short');
  const push = shown.rendered.content.push;
  const today = new Intl.DateTimeFormat(language === 'ja' ? 'ja-JP' : 'en-GB', { weekday: 'long', month: 'long', day: 'numeric', timeZone: space.zone }).format(new Date(space.now));
  return (
    <>
      <SegmentedControl size="xs" aria-label={t('preview.device')} value={view} onChange={setView} data={['short', 'whole'].map((one) => ({ value: one, label: t(`preview.push.${one}` as 'preview.push.short') }))} />
      <Phone kind="push" status="light">
        <div className="lock" aria-hidden="true"><span>{today}</span><b>9:41</b></div>
        <div className={`push push-${view}`}>
          {push?.icon ? <Picture of={push.icon} ratio={1} round /> : <Face name={shown.from} />}
          <div className="push-said">
            <p className="push-head"><b>{shown.subject || shown.from}</b><small>{t('preview.push.now')}</small></p>
            <p className="push-body">{shown.body.trim()}</p>
          </div>
          {push?.image && (view === 'whole' ? <Picture of={push.image} /> : <Picture of={push.image} ratio={1} />)}
        </div>
      </Phone>
      {push?.url && <p className="note">{t('preview.push.leads', { url: push.url })}</p>}
    </>
  );
}
