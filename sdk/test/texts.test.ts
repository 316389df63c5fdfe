import assert from 'node:assert/strict';
import { test } from 'node:test';
import { textsFor } from '../src/texts.ts';

test('Japanese for Japanese, else English; the site may say it in its own way', () => {
  assert.equal(textsFor('ja-JP').close, '閉じる');
  assert.equal(textsFor('jam').close, 'Close');
  assert.equal(textsFor('de').close, 'Close');
  assert.deepEqual(textsFor('ja', { close: '×' }), { ...textsFor('ja'), close: '×' });
});
