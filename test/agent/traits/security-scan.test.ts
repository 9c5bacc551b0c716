/** Without this one odd log of one tool would hide what all the others found, or stall the agent. */
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { canonicalJson } from '../../../agent/protocol/canonical-json.ts';
import { collectTraits } from '../../../agent/traits/collect.ts';
import { createSecurityScanCollector } from '../../../agent/traits/security-scan.ts';
import { parseAide } from '../../../agent/traits/security-tools/aide.ts';
import { parseChkrootkit } from '../../../agent/traits/security-tools/chkrootkit.ts';
import { parseClamav } from '../../../agent/traits/security-tools/clamav.ts';
import { parseDebsecan } from '../../../agent/traits/security-tools/debsecan.ts';
import { ToolOutputError } from '../../../agent/traits/security-tools/findings.ts';
import { parseLynis } from '../../../agent/traits/security-tools/lynis.ts';
import { parseRkhunter } from '../../../agent/traits/security-tools/rkhunter.ts';
import { parseTrivy } from '../../../agent/traits/security-tools/trivy.ts';
import { fc } from '../../support/property.ts';
import { securityOutputs, traitMachine } from './trait-machine.ts';

const parsers = {
  aide: parseAide,
  chkrootkit: parseChkrootkit,
  clamav: parseClamav,
  debsecan: parseDebsecan,
  lynis: parseLynis,
  rkhunter: parseRkhunter,
  trivy: parseTrivy,
};
const directory = '/var/lib/vigo/security';

function output(name: string): string {
  return readFileSync(new URL(`./security/${name}`, import.meta.url), 'utf8');
}

t.test('what seven tools found', async (t) => {
  const { platform } = traitMachine(t, securityOutputs());
  const { traits, errors } = await collectTraits(platform, ['security_scan']);
  t.same(errors, {});
  const scan = traits.security_scan as Record<string, unknown>;
  t.match(scan, {
    unique_critical: 1,
    unique_high: 0,
    unique_medium: 2,
    unique_low: 1,
    trivy: { critical: 2, high: 0, medium: 1, low: 0, unknown: 0 },
    lynis: { score: 57, warnings: 2 },
    chkrootkit: { infected: [] },
    clamav: { infected: ['/srv/upload/eicar.com'], infected_count: 1 },
    aide: { added: 1, removed: 1, changed: 1 },
    debsecan: { high: 2, medium: 1, low: 1, unassigned: 1, total: 5 },
  });
  t.notOk('errors' in scan);
  t.match((scan.rkhunter as { warnings: string[] }).warnings, [/prerequisites/]);
  t.same((scan.cves as unknown[])[0], {
    id: 'CVE-2024-0001',
    severity: 'critical',
    packages: ['bash', 'libssl3', 'openssl'],
    title: 'openssl: remote hole',
  });
  const { title } = (scan.cves as { title: string }[])[1]!;
  t.equal(title, '', 'debsecan gives no titles');
  t.same(Object.keys(scan.last_scan as object).sort(), Object.keys(parsers).sort());
});

t.test('the forms of each tool', async (t) => {
  t.same(parseAide(output('aide-clean.log.txt')).section, { added: 0, removed: 0, changed: 0 });
  const both = output('aide.log.txt') + output('aide-clean.log.txt');
  t.same(parseAide(both).section, { added: 0, removed: 0, changed: 0 }, 'the last check counts');
  const infected = "Checking `ls'...                    INFECTED\nChecking `ps'... not infected\n";
  t.same(parseChkrootkit(infected).section, { infected: ['ls'] });
  t.same(parseDebsecan('CVE-2024-0001 bash\n').section, {
    high: 0,
    medium: 0,
    low: 0,
    unassigned: 1,
    total: 1,
  });
  t.same(parseDebsecan('').section.total, 0, 'nothing found');
  t.same(parseRkhunter('Warning: a\u001b[0m b\n').section, { warnings: ['a b'] });
  t.same(parseRkhunter('').section, { warnings: [] });
  const clean = '----------- SCAN SUMMARY -----------\nInfected files: 0\n';
  t.same(parseClamav(clean).section, { infected: [], infected_count: 0 });
  t.same(parseTrivy('{"Results":null}').section.critical, 0);
});

t.test('a file that is not of the tool is named and costs no other section', async (t) => {
  const { root, platform } = traitMachine(t, {
    ...securityOutputs(),
    [`${directory}/trivy.json`]: '{"Results":[',
    [`${directory}/lynis-report.dat`]: 'report_version_major=1\n',
    [`${directory}/aide.log`]: 'Segmentation fault\n',
  });
  // A file of three gigabytes that takes no room on the disk.
  truncateSync(`${root}${directory}/clamav.log`, 3 * 1024 ** 3);
  const { traits } = await collectTraits(platform, ['security_scan']);
  t.match(traits.security_scan, {
    errors: { trivy: 'not JSON', lynis: /audit/, aide: /summary/, clamav: /larger than/ },
    debsecan: { total: 5 },
  });
  t.notOk('trivy' in (traits.security_scan as object));
});

t.test('a file is read again when it was written, not before', async (t) => {
  const { root, platform } = traitMachine(t, securityOutputs());
  const collector = createSecurityScanCollector();
  const first = await collector.collect({ platform, facts: {} });
  t.equal(await collector.collect({ platform, facts: {} }), first, 'the same object');
  writeFileSync(`${root}${directory}/debsecan.txt`, 'CVE-2024-0001 bash (high urgency)\n');
  t.match(await collector.collect({ platform, facts: {} }), { debsecan: { total: 1, high: 1 } });
});

t.test('a directory in place of a file, and no files at all', async (t) => {
  const { root, platform } = traitMachine(t, {});
  mkdirSync(`${root}${directory}/trivy.json`, { recursive: true });
  const { traits, errors } = await collectTraits(platform, ['security_scan']);
  t.same([traits, errors], [{}, {}]);
});

const words = [
  'Added entries:\t',
  ' INFECTED',
  ' FOUND\n',
  'Infected files: ',
  'CVE-2024-1 x (high urgency)\n',
  'hardening_index=',
  'Warning: ',
  '[00:00:00] ',
  '{"Results":[{"Vulnerabilities":[{"Severity":"HIGH","VulnerabilityID":"',
  '"}]}]}',
  '\u001b[31m',
  '\ud800',
  '\0',
  '999999999999999999999',
  '\n',
  ' ',
];

t.test('hostile output ends in findings or in a named error, and stays small', async (t) => {
  const hostile = fc
    .array(fc.oneof(fc.constantFrom(...words), fc.string(), fc.json()), { maxLength: 30 })
    .map((parts) => parts.join(''));
  for (const [name, parse] of Object.entries(parsers)) {
    fc.assert(
      fc.property(hostile, (text) => {
        try {
          const { section, vulnerabilities = [] } = parse(text);
          canonicalJson({ section, vulnerabilities });
          return Object.values(section).every(
            (value) => Array.isArray(value) || (Number.isSafeInteger(value) && Number(value) >= 0),
          );
        } catch (error) {
          if (error instanceof ToolOutputError) return true;
          throw error;
        }
      }),
      { numRuns: 200 },
    );
    t.pass(name);
  }
});

t.test('a hundred thousand findings are a bounded trait', async (t) => {
  const lines = Array.from(
    { length: 100_000 },
    (_, at) => `CVE-2024-${at} package${at % 7} (low urgency)`,
  ).join('\n');
  const warnings = 'Warning: something\n'.repeat(100_000);
  const { platform } = traitMachine(t, {
    [`${directory}/debsecan.txt`]: lines,
    [`${directory}/rkhunter.log`]: warnings,
    [`${directory}/chkrootkit.log`]: `Checking x... INFECTED ${'y'.repeat(1_000_000)}`,
  });
  const { traits, errors } = await collectTraits(platform, ['security_scan']);
  t.same(errors, {});
  t.match(traits.security_scan, { unique_low: 100_000, debsecan: { total: 100_000 } });
  t.ok(canonicalJson(traits).length < 100_000, 'the server takes a mebibyte for all traits');
});
