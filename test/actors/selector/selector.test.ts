import t from 'tap';
import { selects } from '../../../actors/selector/match.ts';
import {
  isProblem,
  problemText,
  readSelector,
  type Selector,
} from '../../../actors/selector/selector.ts';
import { fc } from '../../support/property.ts';

const envoy = {
  id: '6f1f5b0e-0000-4000-8000-000000000001',
  hostname: 'Web-1.fra.example',
  traits: () =>
    JSON.stringify({
      os: { family: 'debian', version: '12' },
      network: { ip_addresses: ['192.0.2.1', '192.0.2.2'] },
      packages: { 'docker.io': '20.10', 'g++-12': '12.2.0-14' },
      virtual: { is_virtual: true },
      hardware: { cpu_count: 4 },
      note: { text: 'a, "b" and (c)' },
      ports: { listening: [{ port: 22 }, { port: 443 }] },
    }),
};
const unknownTraits = { ...envoy, traits: () => undefined };

function read(text: string): Selector {
  const selector = readSelector(text);
  if (isProblem(selector)) throw new Error(problemText(selector));
  return selector;
}

t.test('a selector means what docs/selectors.md says', async (t) => {
  const cases: [string, boolean][] = [
    ['web-1.fra.example', true],
    ['WEB-1.FRA.EXAMPLE', true],
    ['web-*', true],
    ['web-?.fra.*', true],
    ['{db,web}-*', true],
    ['web-[2-9]*', false],
    ['db-*', false],
    ['6F1F5B0E-0000-4000-8000-000000000001', true],
    ['6f1f5b0e-0000-4000-8000-000000000002', false],
    ['os.family=debian', true],
    ['os.family==debian', true],
    [' os.family = debian , web-* ', true],
    ['os.family=debian,db-*', false],
    ['os.family=Debian', false],
    ['os.family!=debian', false],
    ['os.family!=rhel', true],
    ['os.family=deb*', true],
    ['os.family="deb*"', false],
    ['network.ip_addresses=192.0.2.2', true],
    ['network.ip_addresses!=192.0.2.2', false],
    ['packages.docker.io=20.*', true],
    ['packages.g++-12=12.2.0-14', true],
    ['virtual.is_virtual=true', true],
    ['hardware.cpu_count=4', true],
    ['note.text="a, \\"b\\" and (c)"', true],
    ['ports.listening.port=443', true],
    ['os=debian', false],
    ['site.name=fra', false],
    ['site.name!=fra', true],
  ];
  for (const [text, expected] of cases) t.equal(selects(read(text), envoy), expected, text);
  t.notOk(selects(read('os.family=debian'), unknownTraits), 'nothing is known of it');
  t.ok(selects(read('os.family!=debian'), unknownTraits));
});

t.test('what cannot be read is refused with the place and with what to write', async (t) => {
  const cases: [string, RegExp][] = [
    ['', /column 1: a selector is empty; examples: web-1/],
    ['web-1,,db', /column 7: a part is empty/],
    ['web 1', /column 1: "web 1" is no host name/],
    ['web-*, os.family~deb', /column 17: there is no operator ~; there are = and !=/],
    ['hardware.cpu_count>4', /column 19: there is no operator >/],
    ['os.family=', /column 11: a value is missing; os.family="" is empty text/],
    ['=debian', /column 1: "" is no path of a trait/],
    ['os.family="deb', /column 11: a quotation mark is not closed/],
    ['os.family="a"b', /column 11: a quoted value ends at its mark/],
    ['memory.free_bytes=3', /memory.free_bytes changes all the time/],
    ['web-1,web-2', /no envoy is both web-1 and web-2; .* write \{web-1,web-2\}/],
    ['<script>', /column 1: there is no operator </],
    [`a${'b'.repeat(1_000)}`, /at most 1000 characters/],
    [Array.from({ length: 21 }, (_, at) => `p${at}.x=1`).join(','), /at most 20 parts/],
  ];
  for (const [text, expected] of cases) {
    const problem = readSelector(text);
    t.ok(isProblem(problem), text.slice(0, 30));
    if (isProblem(problem)) t.match(problemText(problem), expected);
  }
});

t.test('no text makes the reader throw, or point outside of the text', async () => {
  const pieces = fc.constantFrom(',', '=', '!=', '"', '\\', '{', '}', '*', '~', ' ', 'web', 'a.b');
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.array(pieces, { maxLength: 15 }).map((all) => all.join('')),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const result = readSelector(text);
      if (!isProblem(result)) {
        selects(result, envoy);
        return true;
      }
      return result.column >= 1 && result.column <= text.length + 1 && result.remedy !== '';
    }),
    { numRuns: 1_000 },
  );
});
