import assert from 'node:assert/strict';
import { test } from 'node:test';
import { next } from '../src/line.ts';
import { anItem } from './world.ts';

const waiting = (id: string, priority: number, readyAt = 0) => ({
  item: anItem(id, { display: { priority } }),
  readyAt,
});

test('the most important comes first, of equals the one that came first', () => {
  const all = [waiting('a', 1), waiting('b', 5), waiting('c', 5)];
  assert.equal(next(all, 0, 0), all[1]);
});

test('one that is not ready yet holds nobody up', () => {
  const all = [waiting('urgent', 9, 100), waiting('ready', 0)];
  assert.equal(next(all, 99, 0), all[1]);
  assert.equal(next(all, 100, 0), all[0]);
});

test('the pause holds up all but our own questions', () => {
  const all = [waiting('a', 0)];
  assert.equal(next(all, 40, 100), 60);
  assert.equal(next(all, 100, 100), all[0]);
  const question = { ...waiting('own', 0), ended() {} };
  assert.equal(next([...all, question], 40, 100), question);
});

test('what is over is not waited for', () => {
  const over = { item: anItem('a', { expires_at: '2026-11-26T00:00:00Z' }), readyAt: 0 };
  const end = Date.parse('2026-11-26T00:00:00Z');
  assert.equal(next([over], end - 1, 0), over);
  assert.equal(next([over], end, 0), null);
});
