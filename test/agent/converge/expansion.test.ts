import t from 'tap';
import { createEngine } from '../../../agent/converge/engine.ts';
import { typeRegistry } from '../../../agent/executors/registry.ts';
import { createNodePlatform } from '../../../agent/platform/node-platform.ts';
import { RecordingType } from '../../support/recording-type.ts';
import { bundle, module, type ResourceInput } from '../../support/resource-bundle.ts';

/** Keys of the resources that a pass repaired. */
async function repaired(family: string, resources: ResourceInput[]): Promise<string[]> {
  const recording = new RecordingType();
  for (const key of ['x', 'y', 'deb', 'rpm', 'other', 'base'])
    recording.script(key, { drift: true });
  const engine = createEngine({
    platform: createNodePlatform(),
    registry: typeRegistry([recording.type()]),
  });
  const document = bundle([module('m', resources)]);
  await engine.pass({ document, traits: { os: { family } } });
  return recording.applies().map((line) => line.replace('apply ', ''));
}

const type = 'recording';

t.test('a foreach element is what .Item and .Each are', async (t) => {
  const resources = [
    { type, name: 'a', item: 'x', parameters: { key: '{{ .Item }}' } },
    { type, name: 'b', item: { key: 'y' }, parameters: { key: '{{ .Each.key }}' } },
  ];
  t.same((await repaired('debian', resources)).sort(), ['x', 'y']);
});

t.test('a case picks the parameters by what the node is', async (t) => {
  const cases = (match: Record<string, Record<string, string>>): ResourceInput[] => [
    {
      type,
      name: 'a',
      parameters: { key: 'base' },
      variants: { on: '{{ .Traits.os.family }}', match },
    },
  ];
  const match = { debian: { key: 'deb' }, rhel: { key: 'rpm' } };
  t.same(await repaired('debian', cases(match)), ['deb']);
  t.same(await repaired('rhel', cases(match)), ['rpm']);
  t.same(await repaired('suse', cases(match)), ['base']);
  t.same(await repaired('suse', cases({ ...match, default: { key: 'other' } })), ['other']);
});
