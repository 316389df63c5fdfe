import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openStore } from '../src/store.ts';
import { storage } from './world.ts';

test('a value outlives the page', () => {
  const kept = storage();
  openStore(() => kept).set('user', { id: 'ada' });
  assert.deepEqual(openStore(() => kept).get('user'), { id: 'ada' });
});

test('without a value the name is forgotten', () => {
  const store = openStore(storage);
  store.set('user', 'ada');
  store.set('user');
  assert.equal(store.get('user'), undefined);
});

test('a browser that refuses storage gets memory', () => {
  const store = openStore(() => {
    throw new DOMException('no', 'SecurityError');
  });
  store.set('user', 'ada');
  assert.equal(store.get('user'), 'ada');
  store.set('user');
  assert.equal(store.get('user'), undefined);
});

test('what did not fit is not read in its older state', () => {
  const kept = storage();
  const store = openStore(() => kept);
  store.set('events', [1]);
  const put = kept.setItem;
  kept.setItem = () => {
    throw new DOMException('full', 'QuotaExceededError');
  };
  store.set('events', [1, 2]);
  assert.deepEqual(store.get('events'), [1, 2]);
  kept.setItem = put;
  store.set('events', [3]);
  assert.deepEqual(openStore(() => kept).get('events'), [3]);
});

test('what somebody else wrote there is no value', () => {
  const kept = storage();
  kept.setItem('kizuna.user', '{half');
  assert.equal(openStore(() => kept).get('user'), undefined);
});
