/** Without this the reference would name fields that no machine has, or leave out some that it has. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { createNodePlatform } from '../../../agent/platform/node-platform.ts';
import { traitSchemas } from '../../../agent/policy/trait-schemas/registry.ts';
import type { TraitField } from '../../../agent/policy/trait-schemas/schema.ts';
import type { PolicyValue } from '../../../agent/protocol/bundle.ts';
import { collectTraits, createTraitCollection } from '../../../agent/traits/collect.ts';
import { fc } from '../../support/property.ts';
import { arrange } from '../../support/simulated-machine.ts';
import { referencePath, traitReference } from '../../tools/trait-reference.ts';
import { selfSignedPem } from './certificate.ts';
import { machineFiles, securityOutputs, traitMachine } from './trait-machine.ts';

type Leaf = readonly [path: string, value: PolicyValue];

/** Every value that is no map, by the pattern of its path in the schema. */
function leaves(value: PolicyValue, path: string, patterns: readonly string[]): Leaf[] {
  const exact = patterns.includes(path);
  if (Array.isArray(value) && !exact) {
    return value.flatMap((item) => leaves(item, `${path}[]`, patterns));
  }
  if (exact || value === null || typeof value !== 'object') return [[path, value]];
  return Object.entries(value).flatMap(([name, inner]) => {
    const named = path === '' ? name : `${path}.${name}`;
    const open = path === '' ? '*' : `${path}.*`;
    const known = patterns.some((one) => one === named || one.startsWith(`${named}.`));
    const listed = patterns.some((one) => one.startsWith(`${named}[]`));
    return leaves(inner, known || listed ? named : open, patterns);
  });
}

function fits(value: PolicyValue, field: TraitField): boolean {
  if (field.type === 'list of texts')
    return Array.isArray(value) && value.every((item) => typeof item === 'string');
  const types = { text: 'string', number: 'number', boolean: 'boolean' } as const;
  return typeof value === types[field.type];
}

function strangers(traits: Readonly<Record<string, PolicyValue>>): string[] {
  return Object.entries(traits).flatMap(([name, value]) => {
    const fields = traitSchemas.get(name)?.fields ?? {};
    return leaves(value, '', Object.keys(fields)).flatMap(([path, leaf]) => {
      const field = fields[path];
      const said = JSON.stringify(leaf);
      return field !== undefined && fits(leaf, field) ? [] : [`${name}.${path} = ${said}`];
    });
  });
}

const full = {
  ...machineFiles,
  ...securityOutputs(),
  '/etc/nginx/site.crt': selfSignedPem,
};

t.test('every collector has a schema, and every schema a collector', async (t) => {
  const { names } = createTraitCollection(createNodePlatform());
  t.same([...names].sort(), [...traitSchemas.keys()].sort());
  t.equal(names.length, 28);
});

t.test('each field of a machine is documented with its type', async (t) => {
  const { traits } = await collectTraits(traitMachine(t, full).platform);
  t.same(strangers(traits), []);
  t.same(strangers((await collectTraits(createNodePlatform())).traits), []);
});

t.test('each documented field is seen on a machine', async (t) => {
  const facts = { envoyUuid: 'u', agentVersion: '1' };
  const broken = { '/var/lib/vigo/security/trivy.json': '{' };
  const { root, platform } = traitMachine(t);
  arrange(root, { ...full, '/sys/class/dmi/id/board_name': 'X11\n' });
  const { traits } = await collectTraits(platform, undefined, facts);
  arrange(root, broken);
  const again = await collectTraits(platform, ['security_scan']);
  const unseen = [...traitSchemas.values()].flatMap(({ name, fields }) => {
    const patterns = Object.keys(fields);
    const values = [traits[name], again.traits[name]].filter((one) => one !== undefined);
    const seen = new Set(values.flatMap((one) => leaves(one, '', patterns)).map(([path]) => path));
    return patterns.filter((path) => !seen.has(path)).map((path) => `${name}.${path}`);
  });
  t.same(
    unseen,
    ['cloud.vpc_id', 'cloud.resource_group'],
    'those only a metadata service would tell',
  );
});

t.test('hostile files of the kernel or the machine break no type', async (t) => {
  const { root, platform } = traitMachine(t);
  const paths = Object.keys(machineFiles);
  const pieces = ['\n', ' ', ':', '=', '/', '\0', 'ffffffff', '-1', 'NaN', '{}', '"'];
  const junk = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.array(fc.constantFrom(...pieces)).map((parts) => parts.join('')),
  );
  const some = fc.subarray(paths, { minLength: 1, maxLength: 6 });
  const pick = (chosen: readonly string[], content: (path: string) => string) =>
    arrange(root, Object.fromEntries(chosen.map((path) => [path, content(path)])));
  await fc.assert(
    fc.asyncProperty(some, junk, async (chosen, text) => {
      pick(chosen, () => text);
      const { traits } = await collectTraits(platform);
      pick(chosen, (path) => machineFiles[path]!);
      const found = strangers(traits);
      if (found.length > 0) throw new Error(`${chosen} ${found.join(', ')}`);
    }),
    { numRuns: 60 },
  );
});

t.test('the reference page is made from the schemas', async (t) => {
  const hint = 'run: node test/tools/trait-reference.ts';
  t.equal(readFileSync(referencePath, 'utf8'), traitReference(), hint);
});
