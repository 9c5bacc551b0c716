import t from 'tap';
import { SharedWork } from '../../../admin/api/shared-work.ts';

function setUp() {
  const world = { position: 10, nowMs: 1_000, runs: 0 };
  const shared = new SharedWork(
    () => world.position,
    () => world.nowMs,
  );
  const make = async () => {
    world.runs += 1;
    return `run ${world.runs}`;
  };
  return { world, shared, make };
}

t.test('a wall of dashboards costs one', async (t) => {
  const { shared, make } = setUp();
  const all = Array.from({ length: 200 }, () => shared.once('a', { ageMsMax: 100 }, make));
  t.same(new Set(await Promise.all(all)), new Set(['run 1']));
  t.equal(await shared.once('b', { ageMsMax: 100 }, make), 'run 2', 'another page is another one');
});

t.test('nobody is shown what is too old, or does not know of the news', async (t) => {
  const { world, shared, make } = setUp();
  await shared.once('a', { ageMsMax: 100 }, make);
  world.nowMs += 99;
  t.equal(await shared.once('a', { ageMsMax: 100 }, make), 'run 1');
  t.equal(await shared.once('a', { ageMsMax: 100, knows: 10 }, make), 'run 1');
  world.position = 11;
  t.equal(await shared.once('a', { ageMsMax: 100, knows: 11 }, make), 'run 2');
  t.equal(await shared.once('a', { ageMsMax: 100, knows: 11 }, make), 'run 2', 'for all of them');
  t.equal(await shared.once('a', { ageMsMax: 0 }, make), 'run 3', 'after an act of its own');
  world.nowMs += 100;
  t.equal(await shared.once('a', { ageMsMax: 100 }, make), 'run 4');
});

t.test('what failed is tried again, and a change is seen by the one who made it', async (t) => {
  const { shared, make } = setUp();
  const broken = () => Promise.reject(new Error('no'));
  await t.rejects(shared.once('a', { ageMsMax: 100 }, broken));
  t.equal(await shared.once('a', { ageMsMax: 100 }, make), 'run 1');
  shared.forget();
  t.equal(await shared.once('a', { ageMsMax: 100 }, make), 'run 2');
});

t.test('what was begun before a change is for those who asked before', async (t) => {
  const { shared, make } = setUp();
  let finish: ((value: string) => void) | undefined;
  const slow = () => new Promise<string>((resolve) => (finish = resolve));
  const before = shared.once('a', { ageMsMax: 100 }, slow);
  shared.forget();
  t.equal(await shared.once('a', { ageMsMax: 100 }, make), 'run 1');
  finish?.('old');
  t.equal(await before, 'old');
  t.equal(await shared.once('a', { ageMsMax: 100 }, make), 'run 1');
});

t.test('the memory for it has an end', async (t) => {
  const { shared, make } = setUp();
  for (let at = 0; at < 65; at++) await shared.once(`page ${at}`, { ageMsMax: 100 }, make);
  t.equal(await shared.once('page 1', { ageMsMax: 100 }, make), 'run 2');
  t.equal(await shared.once('page 0', { ageMsMax: 100 }, make), 'run 66', 'the oldest went');
});
