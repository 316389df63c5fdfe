import { NativeSelect } from '@mantine/core';
import { api, type Json, type Profile, type Why as Answer } from '../api';
import { human, plain, readable, time, titleOf } from '../format';
import { useSpeech } from '../i18n';
import { useLoad } from '../load';
import { Panel } from '../parts/page';
import { Loading, Problem } from '../parts/state';
import { RuleTree } from '../segments/rule';
import { useWorkspace } from '../session';

export interface About { kind: 'segment' | 'journey' | 'message'; name: string }

/** The chain of reasons behind a membership, a journey or a message. */
export function Why({ of, about, setAbout }: { of: Profile; about: About | undefined; setAbout: (about: About | undefined) => void }) {
  const { t } = useSpeech();
  const space = useWorkspace();
  const segments = useLoad(`segments ${space.id}`, (signal) => api.segments(signal));
  const journeys = useLoad(`journeys ${space.id}`, (signal) => api.journeys(signal));
  const choices = [
    ...(segments.data?.items ?? []).map((one) => ({ value: `segment:${one.name}`, label: t('why.segment', { name: titleOf(one) }) })),
    ...(journeys.data?.items ?? []).map((one) => ({ value: `journey:${one.name}`, label: t('why.journey', { name: titleOf(one) }) })),
  ];
  const asked = about ? `${about.kind}:${about.name}` : '';
  if (about && !choices.some((one) => one.value === asked)) choices.push({ value: asked, label: t(`why.${about.kind}`, { name: about.name }) });
  const choose = (value: string): void => {
    const [kind, ...name] = value.split(':');
    setAbout(kind === 'segment' || kind === 'journey' || kind === 'message' ? { kind, name: name.join(':') } : undefined);
  };
  return (
    <Panel title={t('why.title')} note={t('why.lead')} className="why">
      <div id="why" />
      <NativeSelect aria-label={t('why.about')} value={asked} onChange={(event) => choose(event.currentTarget.value)} data={[{ value: '', label: t('why.choose') }, ...choices]} />
      {about && <Chain profile={of.id} about={about} />}
    </Panel>
  );
}

export function Chain({ profile, about }: { profile: string; about: About }) {
  const { t, language, maybe } = useSpeech();
  const space = useWorkspace();
  const { data, problem, reload } = useLoad(`why ${space.id} ${profile} ${about.kind} ${about.name}`, (signal) => api.why(profile, { [about.kind]: about.name }, signal));
  if (problem) return <Problem of={problem} again={reload} compact />;
  if (!data) return <Loading rows={3} />;
  const said = typeof data.answer === 'boolean' ? t(data.answer ? 'yes' : 'no') : maybe(`state.${data.answer}`, maybe(`reason.${data.answer}`, readable(data.answer)));
  return (
    <div aria-live="polite">
      <p className="why-answer">{said}</p>
      {data.chain.length === 0 && <p className="note">{t('why.no_chain')}</p>}
      <ol className="chain">
        {data.chain.map((link, index) => (
          <li key={index} className={`chain-${verdict(link.outcome)}`}>
            <p className="chain-head"><b>{outcomeWords(link.outcome, maybe, t('yes'), t('no'))}</b> {link.at && <time dateTime={link.at}>{time(link.at, language, space.zone)}</time>}{link.version !== null && link.version !== undefined && <small>{t('why.version', { n: link.version })}</small>}</p>
            <Shown rule={link.rule} />
            {link.seen !== null && link.seen !== undefined && <p className="chain-seen"><span>{t('why.seen')}</span> {human(link.seen, language, space.zone)}</p>}
          </li>
        ))}
      </ol>
    </div>
  );
}

const verdict = (outcome: Answer['chain'][number]['outcome']): string => outcome === true || outcome === 'true' ? 'yes' : outcome === false || outcome === 'false' ? 'no' : 'plain';
const outcomeWords = (outcome: Json, maybe: (key: string, otherwise: string) => string, yes: string, no: string): string =>
  outcome === true ? yes : outcome === false ? no : maybe(`state.${plain(outcome)}`, maybe(`reason.${plain(outcome)}`, readable(plain(outcome))));

function Shown({ rule }: { rule: Json }) {
  if (rule === null || rule === '') return null;
  if (typeof rule === 'object' && !Array.isArray(rule)) return <RuleTree rule={rule} />;
  return <p className="chain-rule">{plain(rule)}</p>;
}
