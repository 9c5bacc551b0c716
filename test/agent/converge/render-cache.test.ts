/** Without this a pass would write files for traits of yesterday, or render everything every time. */

import t from 'tap';
import { compileDocument, type Traits } from '../../../agent/converge/compile.ts';
import { createEngine } from '../../../agent/converge/engine.ts';
import type { AnyResourceType } from '../../../agent/executors/contract.ts';
import { typeRegistry } from '../../../agent/executors/registry.ts';
import { createNodePlatform } from '../../../agent/platform/node-platform.ts';
import { Reads } from '../../../agent/policy/template/reads.ts';
import { parseTemplate } from '../../../agent/policy/template/template.ts';
import type { BundleDocument, PolicyValue } from '../../../agent/protocol/bundle.ts';
import { noSecretValues } from '../../../agent/secrets/secret-values.ts';
import { fc } from '../../support/property.ts';
import { RecordingType } from '../../support/recording-type.ts';
import { bundle, module, type ResourceInput } from '../../support/resource-bundle.ts';

const traits = (family: string, used: number): Traits => ({
  os: { family, version: '12' },
  memory: { used_bytes: used },
  network: { ip_addresses: ['10.0.0.1'] },
});

/** A compiled resource whose parameters are parsed once for each rendering. */
function prepare(parameters: Record<string, PolicyValue>, more: Partial<ResourceInput> = {}) {
  const parsed: unknown[] = [];
  const type: AnyResourceType = {
    ...new RecordingType().type(),
    templateParameters: { source: 'content' },
    parse: (values) => {
      parsed.push(values);
      return values;
    },
  };
  const document: BundleDocument = {
    ...bundle([module('m', [{ type: 'recording', name: 'a', parameters, ...more }])]),
    templates: { 'templates/x': 'on {{ .Traits.os.family }}' },
  };
  const resource = compileDocument(document, typeRegistry([type]), 'nonce').resources[0]!;
  const render = (Traits: Traits) =>
    resource.render({ Vars: { a: 1 }, Traits }, noSecretValues).spec;
  return { parsed, render };
}

t.test('what was read and changed is rendered anew, what was not read costs nothing', async (t) => {
  const { parsed, render } = prepare({ key: '{{ .Traits.os.family }} {{ .Vars.a }}' });
  t.same(render(traits('debian', 1)), { key: 'debian 1' });
  render(traits('debian', 2));
  render(traits('debian', 3));
  t.equal(parsed.length, 1, 'another trait changed');
  t.same(render(traits('rhel', 3)), { key: 'rhel 1' });
  t.same(render(traits('debian', 3)), { key: 'debian 1' });
  t.equal(parsed.length, 3);
});

t.test(
  'what a condition inside the template read counts, also when its branch was not taken',
  async (t) => {
    const { render } = prepare({
      key: '{{ if eq .Traits.os.family "debian" }}apt{{ else }}{{ .Traits.memory.used_bytes }}{{ end }}',
    });
    t.same(render(traits('debian', 1)), { key: 'apt' });
    t.same(render(traits('rhel', 1)), { key: '1' });
    t.same(render(traits('rhel', 2)), { key: '2' });
  },
);

t.test('a trait that was missing and appears is seen', async (t) => {
  const { render } = prepare({ key: '{{ .Traits.gpu | default "none" }}' });
  t.same(render({}), { key: 'none' });
  t.same(render({ gpu: 'big' }), { key: 'big' });
});

t.test('template files and cases are watched too', async (t) => {
  const file = prepare({ source: 'templates/x' });
  t.same(file.render(traits('debian', 1)), { content: 'on debian' });
  t.same(file.render(traits('rhel', 1)), { content: 'on rhel' });
  file.render(traits('rhel', 2));
  t.equal(file.parsed.length, 2);
  const variants = {
    on: '{{ .Traits.os.family }}',
    match: { debian: { key: 'apt' }, rhel: { key: 'dnf' } },
  };
  const cases = prepare({ key: 'none' }, { variants });
  t.same(cases.render(traits('debian', 1)), { key: 'apt' });
  t.same(cases.render(traits('rhel', 1)), { key: 'dnf' });
});

t.test('a second pass with fresh but equal traits renders nothing', async (t) => {
  const recording = new RecordingType();
  let parsed = 0;
  const type = recording.type();
  const counting: AnyResourceType = {
    ...type,
    parse: (values) => {
      parsed += 1;
      return type.parse(values);
    },
  };
  const engine = createEngine({
    platform: createNodePlatform(),
    registry: typeRegistry([counting]),
  });
  const resources = Array.from({ length: 20 }, (_, at) => ({
    type: 'recording',
    name: `r${at}`,
    parameters: { key: `${at}-{{ .Traits.os.family }}` },
  }));
  const document = bundle([module('m', resources)]);
  await engine.pass({ document, traits: traits('debian', 1) });
  t.equal(parsed, 20);
  await engine.pass({ document, traits: traits('debian', 2) });
  t.equal(parsed, 20);
  await engine.pass({ document, traits: traits('rhel', 2) });
  t.equal(parsed, 40);
});

const value: fc.Arbitrary<PolicyValue> = fc.oneof(
  fc.constantFrom('x', 'y', 0, 1, true, false),
  fc.array(fc.constantFrom('p', 'q'), { maxLength: 2 }),
);
const someTraits = fc.record(
  { a: value, b: fc.record({ c: value, d: value }) },
  { requiredKeys: [] },
);
const template = fc.constantFrom(
  '{{ .Traits.a | default "-" }}',
  '{{ if .Traits.b | default "" }}{{ .Traits.b.c }}{{ end }}',
  '{{ with .Traits.b | default "" }}{{ .d }}{{ else }}none{{ end }}',
  '{{ range $k, $v := .Traits }}{{ $k }}={{ $v }};{{ end }}',
  '{{ $t := .Traits }}{{ $t.a | default "-" }}',
  '{{ $root := . }}{{ $root.Traits.a | default "-" }}',
  '{{ template "t" . }}{{ define "t" }}{{ .Traits.a | default "-" }}{{ end }}',
  '{{ template "t" .Traits }}{{ define "t" }}{{ toJson . }}{{ end }}',
  '{{ index .Traits "a" | default "-" }}',
  '{{ and (hasKey .Traits "a") .Traits.a }}',
  '{{ or (index .Traits "b" | default "") .Traits.a }}',
  '{{ . }}',
  '{{ len (keys (index . "Traits")) }}',
);

t.test('as long as the reads hold, rendering gives the same text', async () => {
  fc.assert(
    fc.property(template, someTraits, someTraits, (source, before, after) => {
      const parsed = parseTemplate(source);
      const render = (Traits: object, reads?: Reads) => {
        try {
          return parsed.render({ Vars: {}, Traits: Traits as Traits }, reads);
        } catch {
          return undefined;
        }
      };
      const reads = new Reads();
      const first = render(before, reads);
      if (first === undefined || !reads.holdIn({ Vars: {}, Traits: after as Traits })) return true;
      return render(after) === first;
    }),
    { numRuns: 3000 },
  );
});
