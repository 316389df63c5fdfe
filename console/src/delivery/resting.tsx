import { time } from '../format';
import { useSpeech } from '../i18n';
import { Chip } from '../parts/figures';
import { useWorkspace } from '../session';
import type { Rest } from './api';
import { Said } from './said';

/** A provider that did not answer: until when it is left alone, and what it said. */
export function Resting({ rest }: { rest: Rest }) {
  const { t, language } = useSpeech();
  const space = useWorkspace();
  const isOver = Date.parse(rest.rests_until) <= Date.now();
  return (
    <div className="resting">
      <Chip tone="bad">{isOver ? t('rest.trying') : t('rest.until', { when: time(rest.rests_until, language, space.zone) })}</Chip>
      <p><Said reason={rest.reason} /></p>
      <p className="note">{t('rest.failures', { n: rest.failures, when: time(rest.at, language, space.zone) })}</p>
    </div>
  );
}
