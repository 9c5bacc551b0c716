import t from 'tap';
import { compareOutcome, type Expectation } from '../../../actors/sink/plan-comparison.ts';
import { rehearsedResources, type VariantRow } from '../../../actors/sink/rehearsal-rows.ts';
import { fc } from '../../support/property.ts';

const expectations = fc.uniqueArray(
  fc.record<Expectation>({
    id: fc.stringMatching(/^m\/[a-z]{1,4}$/),
    type: fc.constantFrom('file', 'service', 'package'),
    action: fc.option(fc.nat(6), { nil: undefined }),
    assumed: fc.boolean(),
  }),
  { selector: ({ id }) => id, maxLength: 30 },
);
const outcomes = fc.dictionary(fc.stringMatching(/^m\/[a-z]{1,4}$/), fc.nat(6), { maxKeys: 30 });

t.test('the score counts each prediction once, and its misses are all there', async (t) => {
  fc.assert(
    fc.property(expectations, outcomes, (expected, actual) => {
      const actions = new Map(Object.entries(actual));
      const { scores, misses } = compareOutcome(expected, { actions, partial: false });
      const all = [...scores.values()];
      const sum = (pick: (score: (typeof all)[number]) => number) =>
        all.reduce((total, score) => total + pick(score), 0);
      const predicted = expected.filter(({ action }) => action !== undefined);
      t.equal(
        sum((score) => score.predicted),
        predicted.length,
      );
      t.equal(
        sum((score) => score.unpredicted),
        expected.length - predicted.length,
      );
      t.equal(
        sum((score) => score.predicted - score.matching),
        misses.length,
      );
      for (const { id, predicted: said, actual: done } of misses) {
        t.not(said, done);
        t.equal(done, actions.get(id) ?? 0, 'a resource without a result was as declared');
      }
    }),
  );
});

t.test('a prediction that came true in every resource scores whole', async (t) => {
  fc.assert(
    fc.property(expectations, (expected) => {
      const known = expected.filter(({ action }) => action !== undefined);
      const actions = new Map(known.map(({ id, action }) => [id, action!]));
      const { misses } = compareOutcome(known, { actions, partial: false });
      t.same(misses, []);
    }),
  );
});

t.test('an assumption that came otherwise is neither right nor wrong', async (t) => {
  const expected = ['a', 'b', 'c'].map((name) => ({
    id: `m/${name}`,
    type: 'symlink',
    action: 0,
    assumed: name !== 'c',
  }));
  const actions = new Map([['m/a', 3]]);
  const { scores, misses } = compareOutcome(expected, { actions, partial: false });
  t.match(scores.get('symlink'), { predicted: 3, matching: 2, assumed: 2, undetermined: 1 });
  t.same(
    misses.map(({ id, assumed }) => [id, assumed]),
    [['m/a', true]],
  );
});

t.test('what a cut report did not tell is neither right nor wrong', async (t) => {
  const expected = [{ id: 'm/a', type: 'file', action: 1, assumed: false }];
  const { scores } = compareOutcome(expected, { actions: new Map(), partial: true });
  t.equal(scores.size, 0);
});

t.test('answers of many envoys become one row a resource', async (t) => {
  const row = { type: 'file', assumed: 0, reason: '', diff: '', errorCode: '', hostname: 'a' };
  const variants: VariantRow[] = [
    { ...row, id: 'm/x', action: 2, envoys: 30, diff: '-a\n+b' },
    { ...row, id: 'm/x', action: 2, envoys: 7, diff: '-c\n+b', assumed: 1 },
    { ...row, id: 'm/y', action: 6, envoys: 1, errorCode: 'AGENT_GUARDRAIL' },
    { ...row, id: 'm/z', action: 0, envoys: 4, assumed: 1, reason: 'only the node can tell' },
  ];
  const totals = new Map([
    ['m/x', 40],
    ['m/y', 1],
    ['m/z', 9],
  ]);
  t.match(rehearsedResources(variants, totals), [
    { id: 'm/x', envoys: 40, actions: { updated: 37, none: 3 }, assumed: 7, moreVariants: 0 },
    { id: 'm/y', envoys: 1, actions: { failed: 1 }, variants: [{ errorCode: 'AGENT_GUARDRAIL' }] },
    { id: 'm/z', envoys: 9, actions: { none: 9 }, assumed: 4 },
  ]);
});
