import type { Rule } from '../api';
import { useSpeech } from '../i18n';
import { line, MARK, type Words, words } from './words';

/** Text whose marked parts (values, names) are set off. */
export function Rich({ text }: { text: string }) {
  return <>{text.split(MARK).map((part, index) => index % 2 ? <b key={index}>{part}</b> : part)}</>;
}

export function RuleLine({ rule }: { rule: Rule }) {
  const speech = useSpeech();
  return <Rich text={line(words(rule, speech), speech)} />;
}

/** A rule drawn as nested groups, each saying how its parts are joined. */
export function RuleTree({ rule }: { rule: Rule }) {
  const speech = useSpeech();
  return <div className="rule"><Group part={words(rule, speech)} /></div>;
}

function Group({ part }: { part: Words }) {
  const { t } = useSpeech();
  if ('text' in part) return <p className="rule-leaf"><Rich text={part.text} /></p>;
  return (
    <div className={`rule-group rule-${part.join}`}>
      <span className="rule-join">{t(`rule.${part.join}`)}</span>
      <ul>{part.parts.map((one, index) => <li key={index}><Group part={one} /></li>)}</ul>
    </div>
  );
}
