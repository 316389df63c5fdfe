import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { holds } from '../src/where.ts';

// The same table is read by tests/unit/segments/test_props_in_browsers.py.
const cases = JSON.parse(readFileSync(new URL('where.json', import.meta.url), 'utf8'));

for (const { where, properties, holds: wanted } of cases) {
  test(`${JSON.stringify(where)} ${wanted ? 'holds' : 'fails'} for ${JSON.stringify(properties)}`, () => {
    assert.equal(holds(where, properties), wanted);
  });
}

test('an operator that is not known here makes its condition false', () => {
  assert.equal(holds([{ property: 'at', within_last: '3d' }], { at: '2026-11-01' }), false);
});
