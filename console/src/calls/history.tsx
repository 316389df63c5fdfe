import { api, type Entry } from '../api';
import { plain, time } from '../format';
import { useSpeech } from '../i18n';
import { useLoad } from '../load';
import { Panel } from '../parts/page';
import { Loading, Problem } from '../parts/state';
import { isFact, tell } from '../profiles/facts';
import { Link, to } from '../router';
import { useWorkspace } from '../session';

const SHOWN = 8;
const TELLING = new Set(['message_sent', 'message_opened', 'message_clicked', 'message_replied', 'message_bounced', 'message_complained', 'message_unsubscribed', 'consent_changed']);

/** What they did last and what was said to them before this call: no more than one reads while it rings. */
export function History({ of, call }: { of: string; call: string }) {
  const speech = useSpeech();
  const { t, language, maybe } = speech;
  const space = useWorkspace();
  const { data, problem, reload } = useLoad(`call history ${space.id} ${of}`, (signal) => api.timeline(of, null, signal));
  const shown = data?.items.filter((entry) => (!isFact(entry) || TELLING.has(entry.event ?? '')) && entry.properties.message !== call).slice(0, SHOWN) ?? [];
  const outcome = (entry: Entry): string => entry.event === 'Call Finished' ? [maybe(`outcome.${plain(entry.properties.outcome)}`, plain(entry.properties.outcome)), entry.properties.note && plain(entry.properties.note)].filter(Boolean).join(' · ') : '';
  return (
    <Panel title={t('call.history')} aside={<Link className="inline-link" to={to('profiles', of)}>{t('call.profile')}</Link>}>
      {problem && <Problem of={problem} again={reload} compact />}
      {!data && !problem && <Loading rows={5} />}
      {data && shown.length === 0 && <p className="note">{t('profile.no_timeline')}</p>}
      <ol className="call-history">
        {shown.map((entry) => {
          const told = tell(entry, speech, space.currency);
          return <li key={entry.id}><b>{told.text}</b>{(outcome(entry) || told.detail) && <span>{outcome(entry) || told.detail}</span>}<time dateTime={entry.timestamp}>{time(entry.timestamp, language, space.zone)}</time></li>;
        })}
      </ol>
    </Panel>
  );
}
