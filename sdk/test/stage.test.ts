import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Ending, openStage } from '../src/stage.ts';
import type { Item } from '../src/wire.ts';
import { aStore, anItem, TestWorld } from './world.ts';

const PAUSE = 30_000;
const bought = { event: 'Order Completed', properties: {} };
const onPurchase = (id: string, more: Item['display'] = {}) =>
  anItem(id, { display: { trigger: { event: 'Order Completed' }, ...more } });

function open(store = aStore()) {
  const world = new TestWorld();
  const shown: string[] = [];
  let end: (ending?: Ending) => void = () => assert.fail('nothing is shown');
  const stage = openStage(store, world, PAUSE, (item, ended) => {
    shown.push(item.id);
    end = ended;
    return () => shown.push(`away with ${item.id}`);
  });
  stage.happened({ path: '/' });
  return { stage, world, shown, store, end: (ending?: Ending) => end(ending) };
}

test('what happened before the shelf came still counts', () => {
  const { stage, shown } = open();
  stage.happened(bought);
  stage.stock([onPurchase('thanks')]);
  assert.deepEqual(shown, ['thanks']);
});

test('what comes later hears of later events only, but knows the page', () => {
  const { stage, shown } = open();
  stage.stock([]);
  stage.happened(bought);
  stage.stock([onPurchase('late'), anItem('here', { display: { trigger: { page: { path: '/' } } } })]);
  assert.deepEqual(shown, ['here']);
});

test('one at a time, with a pause between', async () => {
  const { stage, world, shown, end } = open();
  stage.stock([anItem('a'), anItem('b')]);
  assert.deepEqual(shown, ['a']);
  await world.pass(60_000);
  end();
  await world.pass(PAUSE - 1);
  assert.deepEqual(shown, ['a']);
  await world.pass(1);
  assert.deepEqual(shown, ['a', 'b']);
});

test('a delay counts from the moment', async () => {
  const { stage, world, shown } = open();
  stage.stock([onPurchase('later', { delay_s: 5 })]);
  await world.pass(10_000);
  stage.happened(bought);
  await world.pass(4_999);
  assert.deepEqual(shown, []);
  await world.pass(1);
  assert.deepEqual(shown, ['later']);
});

test('a message is shown once on a page, however often its moment comes', async () => {
  const { stage, world, shown, end } = open();
  stage.stock([onPurchase('again')]);
  stage.happened(bought);
  end();
  stage.happened(bought);
  await world.pass(PAUSE);
  assert.deepEqual(shown, ['again']);
});

test('the next page shows neither what was dismissed nor what was to be seen once', () => {
  const first = open();
  first.stage.stock([anItem('once', { display: { once: true, priority: 1 } })]);
  const second = open(first.store);
  second.stage.stock([anItem('once'), anItem('dismissed')]);
  second.end();
  const third = open(first.store);
  third.world.time += 2 * PAUSE;
  third.stage.stock([anItem('once'), anItem('dismissed'), anItem('new')]);
  assert.deepEqual([first.shown, second.shown, third.shown], [['once'], ['dismissed'], ['new']]);
});

test('what was only left standing comes again on the next page', () => {
  const first = open();
  first.stage.stock([anItem('kept')]);
  const second = open(first.store);
  second.stage.stock([anItem('kept')]);
  assert.deepEqual(second.shown, ['kept']);
});

test('what left the shelf leaves the line', async () => {
  const { stage, world, shown, end } = open();
  stage.stock([anItem('a'), anItem('b')]);
  stage.stock([anItem('a')]);
  end();
  await world.pass(PAUSE);
  assert.deepEqual(shown, ['a']);
});

test('a question of ours comes at once and is not remembered', () => {
  const { stage, shown, end, store } = open();
  const answers: Ending[] = [];
  stage.stock([anItem('a'), anItem('b')]);
  stage.ask(anItem('own'), (answer) => answers.push(answer));
  end('b1');
  assert.deepEqual(shown, ['a', 'own']);
  end('0');
  assert.deepEqual([answers, store.get('shown')], [['0'], ['a']]);
});

test('another visitor sees nothing of the one before', async () => {
  const { stage, world, shown } = open();
  stage.stock([anItem('a'), anItem('b')]);
  stage.clear();
  await world.pass(PAUSE);
  stage.happened(bought); // before their own shelf is here
  stage.stock([onPurchase('c')]);
  assert.deepEqual(shown, ['a', 'away with a', 'c']);
});
