import t from 'tap';
import { buildPlan } from '../../../agent/converge/plan.ts';
import { AgentError } from '../../../agent/errors.ts';
import { fc } from '../../support/property.ts';
import { bundle, module } from '../../support/resource-bundle.ts';

const type = 'recording';
const ids = (document: Parameters<typeof buildPlan>[0]) =>
  buildPlan(document).nodes.map((node) => node.id);

t.test('without edges the order of the document holds', async (t) => {
  const resources = ['c', 'a', 'b'].map((name) => ({ name, type }));
  t.same(ids(bundle([module('m', resources)])), ['m/c', 'm/a', 'm/b']);
});

t.test('every kind of edge moves a resource, and no other', async (t) => {
  const order = (first: object, rest: object = {}) =>
    ids(
      bundle([
        module('m', [
          { name: 'a', type, ...first },
          { name: 'b', type },
          { name: 'c', type, ...rest },
        ]),
      ]),
    );
  t.same(order({ dependsOn: ['c'] }), ['m/c', 'm/a', 'm/b']);
  t.same(order({}, { before: ['a'] }), ['m/c', 'm/a', 'm/b']);
  t.same(order({ subscribes: ['c'] }), ['m/c', 'm/a', 'm/b']);
  t.same(order({}, { notify: ['a'] }), ['m/c', 'm/a', 'm/b']);
});

t.test('names in the module come before ids, and ids before modules', async (t) => {
  const plan = buildPlan(
    bundle([
      module('web', [
        { name: 'config', type, notify: ['restart', 'db'] },
        { name: 'restart', type },
      ]),
      module('db', [
        { name: 'restart', type },
        { name: 'data', type, dependsOn: ['web/config'] },
      ]),
    ]),
  );
  const config = plan.nodes.find((node) => node.id === 'web/config')!;
  const names = (positions: readonly number[]) => positions.map((one) => plan.nodes[one]!.id);
  t.same(names(config.triggers), ['web/restart', 'db/restart', 'db/data']);
});

t.test('a module waits for all of those that it depends on', async (t) => {
  const document = bundle([
    module('late', [{ name: 'x', type }], { dependsOn: ['early', 'not-in-this-bundle'] }),
    module('early', [
      { name: 'a', type },
      { name: 'b', type },
    ]),
  ]);
  t.same(ids(document), ['early/a', 'early/b', 'late/x']);
});

t.test('a circle is refused with its path, whatever edges it is made of', async (t) => {
  const document = bundle([
    module('m', [
      { name: 'a', type, dependsOn: ['b'] },
      { name: 'b', type, subscribes: ['c'] },
      { name: 'c', type },
      { name: 'd', type, notify: ['c'], dependsOn: ['a'] },
    ]),
  ]);
  t.throws(() => buildPlan(document), {
    code: 'AGENT_PLAN_CYCLE',
    message: /m\/a needs m\/b needs m\/c needs m\/d needs m\/a/,
  });
  const self = bundle([module('m', [{ name: 'a', type, dependsOn: ['a'] }])]);
  t.throws(() => buildPlan(self), { code: 'AGENT_PLAN_CYCLE' });
});

t.test('names that mean nothing or two things are refused', async (t) => {
  const missing = bundle([module('m', [{ name: 'a', type, dependsOn: ['zzz'] }])]);
  t.throws(() => buildPlan(missing), { code: 'AGENT_PLAN_REFERENCE', message: /m\/a names zzz/ });
  const twice = bundle([
    module('m', [
      { name: 'a', type },
      { name: 'a', type },
    ]),
  ]);
  t.throws(() => buildPlan(twice), { code: 'AGENT_PLAN_DUPLICATE' });
});

t.test('a chain longer than the stack is deep', async (t) => {
  const resources = Array.from({ length: 9_000 }, (_, index) => ({
    name: `r${index}`,
    type,
    dependsOn: index < 8_999 ? [`r${index + 1}`] : [],
  }));
  t.equal(ids(bundle([module('m', resources)]))[0], 'm/r8999');
});

const count = 8;
const edge = fc.record({
  from: fc.integer({ min: 0, max: count - 1 }),
  to: fc.integer({ min: 0, max: count - 1 }),
  kind: fc.constantFrom('dependsOn', 'before', 'notify', 'subscribes'),
});

t.test('an order respects every edge, or there is a circle', async () => {
  fc.assert(
    fc.property(fc.array(edge, { maxLength: 12 }), (edges) => {
      const resources = Array.from({ length: count }, (_, index) => {
        const to = (kind: string) =>
          edges.filter((one) => one.from === index && one.kind === kind).map((one) => `r${one.to}`);
        return {
          name: `r${index}`,
          type,
          dependsOn: to('dependsOn'),
          before: to('before'),
          notify: to('notify'),
          subscribes: to('subscribes'),
        };
      });
      const pairs = edges.map(({ from, to, kind }) =>
        kind === 'dependsOn' || kind === 'subscribes' ? [to, from] : [from, to],
      ) as [number, number][];
      try {
        const order = ids(bundle([module('m', resources)]));
        for (const [first, second] of pairs)
          if (order.indexOf(`m/r${first}`) >= order.indexOf(`m/r${second}`))
            throw new Error(`r${first} is not before r${second} in ${order}`);
      } catch (thrown) {
        if (!(thrown instanceof AgentError) || !hasCircle(pairs)) throw thrown;
      }
    }),
    { numRuns: 2000 },
  );
});

/** Takes away what nothing points to until nothing is left. */
function hasCircle(pairs: readonly [number, number][]): boolean {
  let left = pairs;
  for (;;) {
    const rest = left.filter(([first]) => left.some(([, second]) => second === first));
    if (rest.length === left.length) return left.length > 0;
    left = rest;
  }
}
