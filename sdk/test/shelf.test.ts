import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openShelf } from '../src/shelf.ts';
import type { Answer } from '../src/wire.ts';
import { anItem, failed, ok, TestWorld } from './world.ts';

function open(answers: Answer[]) {
  const world = new TestWorld();
  const asked: string[][] = [];
  const problems: unknown[] = [];
  let filled = 0;
  const shelf = openShelf(
    async (known) => {
      asked.push(known);
      return answers.shift() ?? ok({ items: [] });
    },
    world,
    () => filled++,
    (problem) => problems.push(problem),
  );
  const ids = () => shelf.items('in_app').map(({ id }) => id);
  return { shelf, world, asked, problems, ids, filled: () => filled };
}

test('only what is new is asked for, and what is gone goes', async () => {
  const { shelf, world, asked, ids } = open([
    ok({ items: [anItem('a'), anItem('b')], again_after_s: 60 }),
    ok({ items: [anItem('c')], gone: ['a'], read: ['b'] }),
  ]);
  shelf.begin();
  await world.pass(0);
  assert.deepEqual(ids(), ['a', 'b']);
  await world.pass(60_000);
  assert.deepEqual(asked, [[], ['a', 'b']]);
  assert.deepEqual(ids(), ['b', 'c']);
  assert.equal(shelf.items('in_app')[0]!.read, true);
});

test('an answer for the visitor before is not shown to the one after', async () => {
  const { shelf, world, ids } = open([ok({ items: [anItem("ada's")] })]);
  shelf.begin();
  world.later(0, () => shelf.empty());
  await world.pass(0);
  assert.deepEqual(ids(), []);
});

test('a refusal takes all away and is the end until there is a reason to hope', async () => {
  const { shelf, world, asked, problems, ids } = open([
    ok({ items: [anItem('a')] }),
    { status: 403, body: { code: 'invalid_user_token' }, retryAfter: 0 },
  ]);
  shelf.begin();
  await world.pass(30_000);
  assert.deepEqual([ids(), problems], [[], [{ code: 'invalid_user_token' }]]);
  shelf.pullIn(0);
  await world.pass(600_000);
  assert.equal(asked.length, 2);
  shelf.begin();
  await world.pass(0);
  assert.equal(asked.length, 3);
});

test('what may heal is asked again, later each time; so is an answer of somebody between', async () => {
  const { shelf, world, asked } = open([failed(200), failed(503), failed(429, 40)]);
  shelf.begin();
  await world.pass(0);
  await world.pass(5_000); // never sooner than this
  await world.pass(5_000);
  assert.equal(world.quiet, 40_000);
  assert.equal(asked.length, 3);
});

test('events in a row make one question', async () => {
  const { shelf, world, asked } = open([]);
  shelf.begin();
  await world.pass(0);
  for (let number = 0; number < 10; number++) shelf.pullIn(1500);
  await world.pass(5_000);
  assert.equal(asked.length, 2);
});

test('what was dismissed does not come back before the server has heard of it', async () => {
  const { shelf, world, ids } = open([ok({ items: [anItem('a')] }), ok({ items: [anItem('a')] })]);
  shelf.begin();
  await world.pass(0);
  shelf.drop('a');
  await world.pass(30_000);
  assert.deepEqual(ids(), []);
});

test('what is over is not shown', async () => {
  const { shelf, world, ids } = open([ok({ items: [anItem('a', { expires_at: new Date(1_010_000).toISOString() })] })]);
  shelf.begin();
  await world.pass(9_999);
  assert.deepEqual(ids(), ['a']);
  await world.pass(1);
  assert.deepEqual(ids(), []);
});

test('the site is told that it has to vouch for the user', async () => {
  const { shelf, world, problems } = open([ok({ items: [], needs: 'user_token' })]);
  shelf.begin();
  await world.pass(0);
  assert.deepEqual(problems, [{ code: 'user_token' }]);
});
