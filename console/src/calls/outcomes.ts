/** What may come of a call, the usual ones first. */
export const OUTCOMES = ['reached', 'no_answer', 'busy', 'callback_at', 'refused', 'wrong_number', 'do_not_call', 'not_called'] as const;
export type OutcomeName = (typeof OUTCOMES)[number];

const HOUR = 3_600_000;

/** Tomorrow at ten, as the browser's field for a local time writes it: a good first guess at when to call again. */
export function tomorrow(now: Date): string {
  const then = new Date(now.getTime() + 24 * HOUR);
  then.setHours(10, 0, 0, 0);
  return localTime(then);
}

const two = (n: number): string => String(n).padStart(2, '0');
export const localTime = (at: Date): string => `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`;
