/** A rendered body that is JSON of its channel rather than words, told apart as the server does (providers/json_body.py). */
import type { Fields, Json } from '../../api';
import { fields } from '../draft';

const BEGINS = /^\s*(?:\[\s*)?\{\s*["}]/;

/** Objects with a `type`; null for words; undefined for JSON that is broken and would be refused. */
export function jsonBody(said: string): Fields[] | null | undefined {
  if (!BEGINS.test(said)) return null;
  try {
    const found = JSON.parse(said) as Json;
    const all = (Array.isArray(found) ? found : [found]).map(fields);
    return all.every((one) => typeof one.type === 'string') ? all : undefined;
  } catch { return undefined; }
}
