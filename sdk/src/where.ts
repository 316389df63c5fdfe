/** Conditions on an event's properties, read as the server reads them (`kizuna/segments/props.py`). */
import type { Condition, Properties } from './wire.ts';

type Check = (value: unknown, constant: any) => boolean;

const NUMERIC = /^-?(0|[1-9]\d*)(\.\d+)?(e[+-]?\d+)?$/i;

const CHECKS: Record<string, Check> = {
  is: equal,
  in: (value, constants) => constants.some((each: unknown) => equal(value, each)),
  gt: (value, bound) => number(value)! > number(bound)!,
  gte: (value, bound) => number(value)! >= number(bound)!,
  lt: (value, bound) => number(value)! < number(bound)!,
  lte: (value, bound) => number(value)! <= number(bound)!,
  between: (value, [low, high]) => number(value)! >= number(low)! && number(value)! <= number(high)!,
  contains: (value, part) =>
    Array.isArray(value)
      ? value.some((each) => equal(each, part))
      : typeof value === 'string' && typeof part === 'string' && value.includes(part),
  starts_with: (value, start) => typeof value === 'string' && value.startsWith(start),
  ends_with: (value, end) => typeof value === 'string' && value.endsWith(end),
  exists: () => true,
};

/** All conditions must hold; an operator that is not known here makes its condition false. */
export function holds(where: Condition[], properties: Properties): boolean {
  return where.every(({ property, ...tests }) => {
    const found = valuesAt(properties, property.split('.'));
    const wanted: [Check, unknown][] = [];
    const unwanted: [Check, unknown][] = [];
    for (const [operator, constant] of Object.entries(tests)) {
      const name = operator.replace(/^is_not$/, 'is').replace(/^not_/, '');
      const check = CHECKS[name];
      if (!check) return false;
      (name !== operator || (name === 'exists' && constant === false) ? unwanted : wanted).push([check, constant]);
    }
    const passes = (value: unknown) => ([check, constant]: [Check, unknown]) => check(value, constant);
    const isFound = !wanted.length || found.some((value) => wanted.every(passes(value)));
    return isFound && !found.some((value) => unwanted.some(passes(value)));
  });
}

/** Values that are there and not null; `*` stands for any element. */
function valuesAt(value: unknown, [name, ...rest]: string[]): unknown[] {
  if (value === null || value === undefined) return [];
  if (name === undefined) return [value];
  if (name === '*') return Array.isArray(value) ? value.flatMap((each) => valuesAt(each, rest)) : [];
  return isObject(value) && Object.hasOwn(value, name) ? valuesAt(value[name], rest) : [];
}

/** NaN, which compares as false, for what is no number. */
function number(value: unknown): number {
  return typeof value === 'number' || (typeof value === 'string' && NUMERIC.test(value)) ? Number(value) : NaN;
}

/** Whole JSON values; a number equals numeric text by value, text and text by their letters. */
function equal(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (Array.isArray(left) && Array.isArray(right))
    return left.length === right.length && left.every((each, index) => equal(each, right[index]));
  if (isObject(left) && isObject(right)) {
    const names = Object.keys(left);
    return (
      names.length === Object.keys(right).length &&
      names.every((name) => Object.hasOwn(right, name) && equal(left[name], right[name]))
    );
  }
  return typeof left !== typeof right && number(left) === number(right);
}

function isObject(value: unknown): value is Properties {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
