import { useEffect, useRef } from 'react';
import { clockTime, titled } from '../format';
import { useSpeech } from '../i18n';
import { Icon } from '../parts/icon';
import { Panel } from '../parts/page';
import { Chain } from '../profiles/why';
import { Link, to } from '../router';
import { useWorkspace } from '../session';
import type { Taken } from './api';
import { History } from './history';
import { Conclude } from './conclude';

/** The call that is ours: whom, why, what to say, and what came of it. */
export function InHand({ entry, concluded }: { entry: Taken; concluded: (words: string, goOn: boolean) => Promise<void> }) {
  const { t, language } = useSpeech();
  const space = useWorkspace();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  const now = space.clock === 'test' ? space.now : new Date().toISOString();
  return (
    <div className="desk">
      <section className="panel call" aria-label={t('call.in_hand')}>
        <header className="call-head">
          <div>
            <h2 ref={heading} tabIndex={-1}>{entry.name || t('profiles.anonymous')}</h2>
            <p className="note">{t('call.there', { time: clockTime(now, language, entry.zone), zone: entry.zone })} · {t('call.yours', { time: clockTime(entry.taken_until, language, space.zone) })}</p>
          </div>
          <a className="call-number" href={`tel:${entry.phone}`}><Icon name="calls" size={18} /><span>{entry.phone}</span></a>
        </header>
        <div className="call-script">
          {entry.subject && <h3>{entry.subject}</h3>}
          <p>{entry.script}</p>
        </div>
        <Conclude entry={entry} concluded={concluded} />
      </section>
      <div className="desk-side">
        <Panel title={t('call.why')}>
          <p>{entry.journey && <>{t('outbox.from_journey')}: <Link className="inline-link" to={to('journeys', entry.journey)}>{titled(entry.journey)}</Link></>}
            {entry.campaign && <>{t('outbox.from_campaign')}: <Link className="inline-link" to={to('campaigns', entry.campaign)}>{titled(entry.campaign)}</Link></>}
            {!entry.journey && !entry.campaign && t('calls.single')}</p>
          {entry.tries > 1 && <p className="note">{t('call.try', { n: entry.tries })}{entry.note && ` · ${entry.note}`}</p>}
          <details className="call-why"><summary>{t('call.why.chain')}</summary><Chain profile={entry.profile} about={{ kind: 'message', name: entry.id }} /></details>
        </Panel>
        <History of={entry.profile} call={entry.id} />
      </div>
    </div>
  );
}
