import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fires, matches } from '../src/trigger.ts';

const bought = { event: 'Order Completed', properties: { total: 30 } };

test('an event fires when its name and its properties fit', () => {
  assert.ok(fires({ event: 'Order Completed' }, bought));
  assert.ok(fires({ event: 'Order Completed', where: [{ property: 'total', gte: 30 }] }, bought));
  assert.ok(!fires({ event: 'Order Completed', where: [{ property: 'total', gt: 30 }] }, bought));
  assert.ok(!fires({ event: 'Order' }, bought));
  assert.ok(!fires({ event: 'Order Completed' }, { path: '/' }));
});

test('now is whenever anything happens', () => {
  assert.ok(fires('now', bought));
  assert.ok(fires('now', { path: '/' }));
  assert.ok(fires(undefined, { path: '/' }));
});

test('a page fires by its path, and without one any page does', () => {
  assert.ok(fires({ page: { path: '/shop/*' } }, { path: '/shop/tea' }));
  assert.ok(!fires({ page: { path: '/shop/*' } }, { path: '/shop/tea/green' }));
  assert.ok(fires({ page: {} }, { path: '/anything' }));
  assert.ok(!fires({ page: {} }, bought));
});

test('globs are read letter by letter', () => {
  assert.ok(matches('/shop/**', '/shop/tea/green'));
  assert.ok(matches('/a.b(c)', '/a.b(c)'));
  assert.ok(!matches('/a.b', '/axb'));
  assert.ok(!matches('/shop', '/shop/'));
  assert.ok(matches('/*/tea', '/shop/tea'));
});
