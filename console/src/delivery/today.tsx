import type { CSSProperties } from 'react';
import type { Fields } from '../api';
import { number, plain } from '../format';
import { useSpeech } from '../i18n';
import { Panel } from '../parts/page';
import type { Provider } from './api';

/** What the warm-up plan and the limits of domains allow today, and what of it is used. */
export function Today({ today, plan }: { today: NonNullable<Provider['today']>; plan: Fields | null }) {
  const { t, language } = useSpeech();
  const rows = [
    { name: t('today.all'), allowed: today.allowed, used: today.used },
    ...Object.entries(today.domains).map(([name, one]) => ({ name, ...one })),
  ];
  const words = !plan ? undefined : Array.isArray(plan.plan) ? t('today.plan.days', { n: plan.plan.length, start: plain(plan.start) })
    : t('today.plan.grows', { first: number(Number(plan.first), language), factor: plain(plan.factor), start: plain(plan.start) }) + (plan.most ? ` ${t('today.plan.most', { n: number(Number(plan.most), language) })}` : '');
  return (
    <Panel title={t('today.title')} note={words}>
      <ul className="bars">
        {rows.map((row) => (
          <li key={row.name}>
            <div>
              <span className="bar-label">{row.name}</span>
              <span className="bar-value">{number(row.used, language)}<small>{row.allowed === null ? t('today.free') : t('today.of', { n: number(row.allowed, language) })}</small></span>
              {row.allowed !== null && <span className={row.used >= row.allowed ? 'bar-line bar-bad' : 'bar-line'} style={{ '--w': `${row.allowed ? Math.min(100, 100 * row.used / row.allowed) : 100}%` } as CSSProperties} />}
            </div>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
