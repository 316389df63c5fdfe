import type { CSSProperties, ReactNode } from 'react';
import type { Cohort } from '../api';
import { number, period, share } from '../format';
import { useSpeech } from '../i18n';
import { Link } from '../router';

export function Stat({ label, value, hint, live, tone }: { label: string; value: ReactNode; hint?: ReactNode; live?: boolean; tone?: 'accent' }) {
  return (
    <div className={tone ? `stat stat-${tone}` : 'stat'}>
      <dt>{label}</dt>
      <dd>{value}</dd>
      {hint && <dd className={live ? 'stat-hint stat-live' : 'stat-hint'}>{hint}</dd>}
    </div>
  );
}
export const Stats = ({ children }: { children: ReactNode }) => <dl className="stats">{children}</dl>;

export interface Bar { key: string; label: ReactNode; value: number; to?: string; note?: string; tone?: 'quiet' | 'bad' }

/** Horizontal bars as a list: each has its words and its number, and may lead somewhere. */
export function Bars({ bars, of }: { bars: Bar[]; of?: number }) {
  const { language } = useSpeech();
  const most = of ?? Math.max(1, ...bars.map((bar) => bar.value));
  return (
    <ul className="bars">
      {bars.map((bar) => {
        const inner = (
          <>
            <span className="bar-label">{bar.label}</span>
            <span className="bar-value">{number(bar.value, language)}{bar.note && <small>{bar.note}</small>}</span>
            <span className={bar.tone ? `bar-line bar-${bar.tone}` : 'bar-line'} style={{ '--w': `${Math.min(100, 100 * bar.value / most)}%` } as CSSProperties} />
          </>
        );
        return <li key={bar.key}>{bar.to ? <Link to={bar.to}>{inner}</Link> : <div>{inner}</div>}</li>;
      })}
    </ul>
  );
}

export function Funnel({ rows, label }: { rows: { key: string; value: number }[]; label: (key: string) => string }) {
  const { language } = useSpeech();
  const first = rows[0]?.value || 1;
  return (
    <ol className="funnel">
      {rows.map((row) => (
        <li key={row.key} style={{ '--w': row.value ? `${Math.max(0.4, 100 * row.value / first)}%` : '0%' } as CSSProperties}>
          <span className="funnel-label">{label(row.key)}</span>
          <span className="funnel-bar" />
          <span className="funnel-value">{number(row.value, language)}<small>{share(row.value / first, language)}</small></span>
        </li>
      ))}
    </ol>
  );
}

/** The retention triangle as a table whose cells are shaded by their share. */
export function Triangle({ cohorts, zone }: { cohorts: Cohort[]; zone: string }) {
  const { t, language } = useSpeech();
  const width = Math.max(0, ...cohorts.map((cohort) => cohort.returned.length)) - 1;
  const shares = cohorts.flatMap((cohort) => cohort.size ? cohort.returned.slice(1).map((n) => (n ?? 0) / cohort.size) : []);
  const most = Math.max(0.01, ...shares);
  const least = Math.min(most, ...shares);
  const warmth = (part: number): number => 8 + 84 * (part - least) / (most - least || 1);
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label={t('overview.retention')}>
      <table className="triangle">
        <thead>
          <tr>
            <th scope="col">{t('cohort')}</th><th scope="col">{t('cohort.size')}</th>
            {Array.from({ length: width }, (_, index) => <th key={index} scope="col" title={t('cohort.after', { n: index + 1 })}>+{index + 1}</th>)}
          </tr>
        </thead>
        <tbody>
          {cohorts.map((cohort) => (
            <tr key={cohort.start}>
              <th scope="row">{period(cohort.start, language, zone)}</th>
              <td className="triangle-size">{number(cohort.size, language)}</td>
              {Array.from({ length: width }, (_, index) => {
                const value = cohort.returned[index + 1];
                if (value === undefined || value === null || !cohort.size) return <td key={index} className="triangle-none" />;
                const part = value / cohort.size;
                return <td key={index} className={warmth(part) > 58 ? 'cell cell-deep' : 'cell'} style={{ '--heat': `${Math.round(warmth(part))}%` } as CSSProperties} title={`${number(value, language)} / ${number(cohort.size, language)}`}>{share(part, language, 0)}</td>;
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export const Chip = ({ children, tone = 'plain' }: { children: ReactNode; tone?: 'plain' | 'good' | 'bad' | 'accent' }) => <span className={`chip chip-${tone}`}>{children}</span>;
