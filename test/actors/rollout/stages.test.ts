import t from 'tap';
import { exposureHash, exposureTest } from '../../../actors/policy/exposure.ts';
import { parseStage, resolveRollout, rolloutProblem } from '../../../actors/rollout/stages.ts';

const settings = {
  stages: ['5%'],
  observeMs: 1000,
  threshold: 0.1,
  leastConverged: 0,
  onFailure: 'rollback',
} as const;

t.test('a stage is a share or globs, and nothing else', async (t) => {
  t.same(parseStage('25%'), { share: 0.25 });
  t.same(parseStage('0.5%'), { share: 0.005 });
  t.same(parseStage('canary-*, db-1'), { globs: ['canary-*', 'db-1'] });
  for (const bad of ['', '0%', '101%', '-5%', '5 %', 'a b', 'x;y', 'a,,b', 'x'.repeat(2000)]) {
    t.equal(parseStage(bad), undefined, JSON.stringify(bad));
  }
});

t.test('everybody is the last stage, once', async (t) => {
  t.same(resolveRollout(undefined, settings)?.stages, ['5%', '100%']);
  t.same(resolveRollout({ stages: ['10%', '100%'] }, settings)?.stages, ['10%', '100%']);
  t.equal(resolveRollout({ stages: [], observeMs: 0 }, settings), undefined, 'all at once');
  t.same(resolveRollout({ stages: [] }, settings)?.stages, ['100%'], 'watched');
  t.match(rolloutProblem({ stages: ['5%', '6 %'] }), '"6 %"');
  t.match(rolloutProblem({ threshold: 7 }), 'threshold');
  t.match(rolloutProblem({ stages: Array.from({ length: 20 }, () => '5%') }), 'stages');
  t.equal(rolloutProblem(settings), undefined);
});

t.test('shares are spread evenly, and differ from rollout to rollout', async (t) => {
  const ids = Array.from({ length: 10_000 }, (_, index) => `envoy-${index}`);
  const half = 2 ** 31;
  const inFirst = ids.filter((id) => exposureHash('a', id) < half);
  const inBoth = inFirst.filter((id) => exposureHash('b', id) < half);
  t.ok(Math.abs(inFirst.length - 5000) < 200, `${inFirst.length} of 10000`);
  t.ok(Math.abs(inBoth.length - 2500) < 200, `${inBoth.length} of 10000 twice`);
  const byName = exposureTest({ salt: 'a', upTo: -1, globs: ['Web-*'] });
  t.same([byName('x', 'web-1'), byName('x', 'db-1')], [true, false]);
});
