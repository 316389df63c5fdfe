import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openOutbox } from '../src/outbox.ts';
import type { Answer } from '../src/wire.ts';
import { aStore, failed, ok, TestWorld } from './world.ts';

function open(answers: Answer[] = [], store = aStore()) {
  const world = new TestWorld();
  const posted: unknown[][] = [];
  const carried: unknown[][] = [];
  const carrier = {
    isUp: true,
    async post(body: string) {
      posted.push(JSON.parse(body));
      return answers.shift() ?? ok();
    },
    beacon(body: string) {
      if (carrier.isUp) carried.push(JSON.parse(body));
      return carrier.isUp;
    },
  };
  const box = openOutbox<unknown>('box', store, JSON.stringify, carrier, world);
  return { box, world, posted, carried, carrier, store };
}

test('what comes in quick succession goes out together', async () => {
  const { box, world, posted } = open();
  box.add(1);
  box.add(2);
  await world.pass(299);
  assert.deepEqual(posted, []);
  await world.pass(1);
  assert.deepEqual(posted, [[1, 2]]);
});

test('what fails is tried again, later each time, and nothing overtakes it', async () => {
  const { box, world, posted } = open([failed(0), failed(503), failed(429, 7)]);
  box.add(1);
  await world.pass(300);
  assert.equal(world.quiet, 1000);
  box.add(2);
  assert.equal(world.quiet, 1000);
  await world.pass(1000);
  assert.equal(world.quiet, 2000);
  await world.pass(2000);
  assert.equal(world.quiet, 7000);
  await world.pass(7000);
  assert.deepEqual(posted, [[1], [1, 2], [1, 2], [1, 2]]);
  assert.equal(world.quiet, null);
});

test('what will never be taken is let go', async () => {
  const { box, world, posted, store } = open([failed(400)]);
  box.add(1);
  await world.pass(60_000);
  assert.deepEqual([posted, store.get('box')], [[[1]], []]);
});

test('the next page sends what this one could not', async () => {
  const first = open([failed(0)]);
  first.box.add(1);
  await first.world.pass(300);
  const second = open([], first.store);
  await second.box.flush();
  assert.deepEqual(second.posted, [[1]]);
});

test('what another tab added meanwhile stays', async () => {
  const store = aStore();
  const [here, there] = [open([], store), open([], store)];
  here.box.add(1);
  const sending = here.box.flush();
  there.box.add(2);
  await sending;
  assert.deepEqual(store.get('box'), ['2']);
});

test('when the page goes the browser carries the rest, in pieces it can carry', () => {
  const { box, carried, store } = open();
  for (let number = 0; number < 60; number++) box.add(`${number + 100}`.padEnd(998, 'x'));
  box.leave();
  assert.deepEqual(carried.map((batch) => batch.length), [18, 18, 18, 6]);
  assert.deepEqual(store.get('box'), []);
});

test('what the browser would not carry is kept', () => {
  const { box, carrier, store } = open();
  carrier.isUp = false;
  box.add(1);
  box.leave();
  assert.deepEqual(store.get('box'), ['1']);
});

test('the oldest make room, by number and by size', () => {
  const { box, store } = open();
  for (let number = 0; number < 250; number++) box.add(number);
  const held = store.get<string[]>('box')!;
  assert.deepEqual([held.length, held[0]], [200, '50']);
  box.add('x'.repeat(255_000));
  assert.ok(store.get<string[]>('box')!.join('').length <= 256_000);
  assert.equal(store.get<string[]>('box')!.at(-1)!.length, 255_002);
});

test('one entry that is larger than a batch goes alone', async () => {
  const { box, world, posted } = open();
  box.add(1);
  box.add('x'.repeat(30_000));
  box.add(2);
  await world.pass(300);
  assert.deepEqual(posted.map((batch) => batch.length), [1, 1, 1]);
});
