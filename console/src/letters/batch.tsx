import { Button } from '@mantine/core';
import { useAct } from '../act';
import { number, time } from '../format';
import { useSpeech } from '../i18n';
import { Download } from '../parts/download';
import { Chip } from '../parts/figures';
import { Problem } from '../parts/state';
import { useWorkspace } from '../session';
import { type Batch, letters } from './api';

/** A closed batch: to print, to post, and what came of it. */
export function Card({ batch, changed }: { batch: Batch; changed: () => void }) {
  const { t, language } = useSpeech();
  const space = useWorkspace();
  const { busy, problem, act } = useAct();
  const post = (): Promise<void> => act(async () => {
    await letters.posted(batch.number);
    changed();
  });
  const isPosted = batch.state === 'posted';
  const figures = [['letters', batch.letters], ['redeemed', batch.redeemed], ['returned', batch.returned]] as const;
  return (
    <li className="card batch">
      <div className="card-main">
        <h2>{t('letters.batch', { n: batch.number })}</h2>
        <p className="card-tags"><Chip tone={isPosted ? 'good' : 'accent'}>{t(`letters.state.${batch.state}`)}</Chip></p>
        <p className="note">{isPosted ? t('letters.posted_at', { when: time(batch.posted_at, language, space.zone) }) : t('letters.closed_at', { when: time(batch.closed_at, language, space.zone) })}</p>
      </div>
      <dl className="card-figures">{figures.map(([key, value]) => <div key={key}><dt>{t(`letters.${key}`)}</dt><dd>{number(value, language)}</dd></div>)}</dl>
      <div className="batch-do">
        {Array.from({ length: batch.parts }, (_, index) => index + 1).map((part) => (
          <Download key={part} path={letters.pdf(batch.number, part)} name={`letters-${batch.number}-${part}.pdf`}>{batch.parts > 1 ? t('letters.pdf.part', { n: part, of: batch.parts }) : t('letters.pdf')}</Download>
        ))}
        <Download path={letters.csv(batch.number)} name={`letters-${batch.number}.csv`}>{t('letters.csv')}</Download>
        {!isPosted && <Button size="xs" loading={busy} onClick={() => void post()}>{t('letters.post')}</Button>}
      </div>
      {problem && <Problem of={problem} compact />}
    </li>
  );
}
