import { SegmentedControl, Skeleton } from '@mantine/core';
import { lazy, type ReactNode, Suspense, useState } from 'react';
import { useSpeech } from '../i18n';
import { Panel } from './page';
import type { PlotProps } from './plot';

const Plot = lazy(() => import('./plot')); // ECharts comes when the first chart does

/** A chart that can also be read as a table. */
export function Chart({ title, note, ...plot }: { title: string; note?: ReactNode } & Omit<PlotProps, 'label'>) {
  const { t } = useSpeech();
  const [view, setView] = useState('chart');
  const choice = <SegmentedControl size="xs" value={view} onChange={setView} aria-label={title} data={[{ value: 'chart', label: t('chart') }, { value: 'table', label: t('table') }]} />;
  return (
    <Panel title={title} note={note} aside={choice}>
      {view === 'chart' ? (
        <Suspense fallback={<Skeleton height={plot.height ?? 300} />}><Plot label={title} {...plot} /></Suspense>
      ) : (
        <div className="scroll" tabIndex={0} role="region" aria-label={title}>
          <table className="table">
            <thead><tr><th scope="col" />{plot.series.map((one) => <th key={one.name} scope="col" className="num">{one.name}</th>)}</tr></thead>
            <tbody>
              {plot.times.map((time, index) => (
                <tr key={time}>
                  <th scope="row">{time}</th>
                  {plot.series.map((one) => { const value = one.values[index]; return <td key={one.name} className="num">{value === null || value === undefined ? '—' : one.format(value)}</td>; })}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}
