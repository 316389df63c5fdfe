import { Button, Skeleton } from '@mantine/core';
import type { ReactNode } from 'react';
import type { Problem as Failure } from '../api';
import { type Key, useSpeech } from '../i18n';
import { Icon } from './icon';

const known: Record<string, Key> = {
  offline: 'problem.offline', not_found: 'problem.not_found', not_allowed: 'problem.not_allowed', not_signed_in: 'problem.not_signed_in',
  too_many: 'problem.too_many', unavailable: 'problem.unavailable', not_settled: 'problem.unavailable', ambiguous: 'problem.ambiguous',
  may_not_call: 'problem.may_not_call', taken: 'problem.taken', not_taken: 'problem.not_taken', too_early: 'problem.too_early', not_unknown: 'problem.not_unknown', feed_gap: 'problem.feed_gap', invalid_settings: 'problem.invalid_settings',
};

/** An error in words that say what to do; the server's own words stand below when they add something. */
export function Problem({ of, again, compact }: { of: Failure; again?: () => void; compact?: boolean }) {
  const { t } = useSpeech();
  const key = known[of.code] ?? (of.status === 404 ? 'problem.not_found' : of.status === 403 ? 'problem.not_allowed' : of.status >= 500 ? 'problem.server' : undefined);
  return (
    <div role="alert" className={compact ? 'problem problem-compact' : 'problem'}>
      <Icon name="alert" />
      <div>
        {!compact && <strong>{t('problem.title')}</strong>}
        <p>{key ? t(key) : of.message || t('problem.server')}</p>
        {key && of.message && <p className="problem-said">{of.message}</p>}
        {of.errors.map((one) => <p key={one.pointer} className="problem-said">{one.pointer}: {one.message}</p>)}
        {again && <Button size="xs" variant="default" onClick={again}>{t('problem.again')}</Button>}
      </div>
    </div>
  );
}

/** Nothing here yet: say what will be, and how it gets here. */
export function Empty({ title, children, icon = 'thread' }: { title: string; children?: ReactNode; icon?: 'thread' | 'search' }) {
  return (
    <div className="empty">
      <Icon name={icon} size={44} />
      <strong>{title}</strong>
      {children && <p>{children}</p>}
    </div>
  );
}

export function Loading({ rows = 4, height = 22 }: { rows?: number; height?: number }) {
  const { t } = useSpeech();
  return (
    <div className="loading" aria-busy="true">
      <span className="hidden">{t('loading')}</span>
      {Array.from({ length: rows }, (_, index) => <Skeleton key={index} height={height} width={`${100 - (index * 13) % 34}%`} radius="sm" />)}
    </div>
  );
}

export function More({ more, busy }: { more: (() => void) | undefined; busy: boolean }) {
  const { t } = useSpeech();
  return more ? <div className="more"><Button variant="default" onClick={more} loading={busy}>{t('more')}</Button></div> : null;
}
