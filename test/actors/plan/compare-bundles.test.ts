import t from 'tap';
import { compareBundles } from '../../../actors/plan/compare-bundles.ts';
import { joinExpectations } from '../../../actors/plan/expectations.ts';
import { fc } from '../../support/property.ts';
import { bundle, module, type ResourceInput } from '../../support/resource-bundle.ts';

const file = (name: string, rest: Partial<ResourceInput> = {}, content = 'x'): ResourceInput => ({
  name,
  type: 'file',
  parameters: { target_path: `/${name}`, content },
  ...rest,
});
const of = (...resources: ResourceInput[]) => bundle([module('m', resources)]);
const debian = { os: { family: 'debian' } };

async function changes(
  old: ReturnType<typeof of>,
  wanted: ReturnType<typeof of>,
  traits: typeof debian | null = debian,
) {
  const expected = await compareBundles(old, wanted).forNode(traits ?? undefined);
  return Object.fromEntries(expected.map(({ id, change }) => [id.slice(2), change]));
}

t.test(
  'what is new, changed, gone and the same; a user would publish blind otherwise',
  async (t) => {
    const old = of(file('same'), file('edited'), file('gone'), file('removed'));
    const absent = file('removed');
    const wanted = of(file('same'), file('edited', {}, 'y'), file('fresh'), {
      ...absent,
      parameters: { ...absent.parameters, state: 'absent' },
    });
    t.same(await changes(old, wanted), {
      same: 'none',
      edited: 'update',
      fresh: 'create',
      removed: 'delete',
      gone: 'unmanage',
    });
    const [edited] = (await compareBundles(old, wanted).forNode(debian)).filter(
      ({ change }) => change === 'update',
    );
    t.same(edited!.parameters, [{ name: 'content', before: 'x', after: 'y' }]);
  },
);

t.test('what a changed parameter does is told, not that one changed', async (t) => {
  const at = (parameters: Record<string, string>) =>
    of({ name: 'f', type: 'file', parameters: { target_path: '/a', content: 'x', ...parameters } });
  const told = async (old: ReturnType<typeof of>, wanted: ReturnType<typeof of>) =>
    (await compareBundles(old, wanted).forNode(debian)).map(({ change, reason }) => [
      change,
      reason,
    ]);
  t.same(await told(at({}), at({ target_path: '/b' })), [['create', 'path /a stays as it is']]);
  t.match(
    await told(at({}), at({ target_path: '/./a' })),
    [['update']],
    'the same by another name',
  );
  t.match(await told(at({ state: 'absent' }), at({})), [['create']]);
  t.match(await told(at({}), at({ state: 'absent' })), [['delete']]);
  t.match(await told(at({ state: 'absent' }), at({ state: 'absent', mode: '0600' })), [['none']]);
  t.match(await told(at({}), at({ validate: 'true %' })), [['none']], 'only the manner differs');
  const service = (name: string) =>
    of({ name: 's', type: 'service', parameters: { service: name, state: 'running' } });
  t.same(await told(service('a'), service('b')), [['update', 'service a stays as it is']]);
});

t.test('conditions have three answers, by the traits that are known', async (t) => {
  const wanted = of(
    file('here', { when: "os_family('debian')" }),
    file('there', { when: "os_family('redhat')" }),
    file('asks', { when: "file_exists('/x')" }),
    file('decided', { when: "file_exists('/x') && os_family('redhat')" }),
  );
  const expected = { here: 'create', there: 'skip', asks: 'unknown', decided: 'skip' };
  t.same(await changes(of(), wanted), expected);
  const blind = await changes(of(), wanted, null);
  t.match(blind, { here: 'unknown', there: 'unknown' }, 'without traits nothing is claimed');
  const before = of(file('there'));
  t.match(await changes(before, wanted), { there: 'unmanage' }, 'and what a condition lets go');
});

t.test(
  'templates are rendered for the node, and a text that means the same is no change',
  async (t) => {
    const templated = file('f', {}, 'on {{ .Traits.os.family }}');
    t.same(await changes(of(file('f', {}, 'on debian')), of(templated)), { f: 'none' });
    t.same(await changes(of(file('f')), of(templated)), { f: 'update' });
    t.same(await changes(of(file('f')), of(templated), null), { f: 'unknown' });
    const missing = file('f', {}, '{{ .Traits.no.such }}');
    t.same(await changes(of(file('f')), of(missing)), { f: 'unknown' });
  },
);

t.test('a change triggers what waits for it, over several steps, and nothing else', async (t) => {
  const chain = (content: string) =>
    of(
      file('a', { notify: ['b'] }, content),
      file('b', { when: 'changed', notify: ['c'] }),
      file('c', { when: 'changed' }),
      file('d', { when: 'changed' }),
      file('e', { when: 'changed', subscribes: ['a'] }),
    );
  t.same(await changes(chain('1'), chain('2')), {
    a: 'update',
    b: 'trigger',
    c: 'trigger',
    d: 'none',
    e: 'trigger',
  });
  t.same(await changes(chain('1'), chain('1')), {
    a: 'none',
    b: 'none',
    c: 'none',
    d: 'none',
    e: 'none',
  });
});

t.test('nodes of a group that agree share a row; the rows add up', async (t) => {
  const comparison = compareBundles(
    of(),
    of(file('f', { when: "os_family('debian')" }), file('g')),
  );
  const nodes = await Promise.all(
    [debian, debian, { os: { family: 'redhat' } }].map((traits) => comparison.forNode(traits)),
  );
  const { resources, actions } = joinExpectations(nodes);
  const rows = resources.map(({ id, change, envoys }) => [id, change, envoys]);
  t.same(rows, [
    ['m/f', 'create', 2],
    ['m/g', 'create', 3],
    ['m/f', 'skip', 1],
  ]);
  t.equal(actions.get('m/f'), -1, 'where nodes differ nothing is predicted of the group');
});

t.test(
  'any bundle against itself: nothing changes; against nothing: nothing is lost',
  async (t) => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,6}$/), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(names, names, async (left, right) => {
        const [old, wanted] = [left, right].map((all) => of(...all.map((name) => file(name))));
        t.ok(Object.values(await changes(old!, old!)).every((change) => change === 'none'));
        const told = await changes(old!, wanted!);
        for (const name of left) if (!right.includes(name)) t.equal(told[name], 'unmanage');
        for (const name of right) t.equal(told[name], left.includes(name) ? 'none' : 'create');
      }),
      { numRuns: 50 },
    );
  },
);
