import type { Platform } from '../platform/platform.ts';
import { PlatformError } from '../platform/platform-error.ts';
import type { PolicyValue } from '../protocol/bundle.ts';
import type { TraitCollector } from './collector.ts';
import { readMachineBytes } from './machine-file.ts';
import { parseAide } from './security-tools/aide.ts';
import { parseChkrootkit } from './security-tools/chkrootkit.ts';
import { parseClamav } from './security-tools/clamav.ts';
import { parseDebsecan } from './security-tools/debsecan.ts';
import {
  type Findings,
  severities,
  ToolOutputError,
  type ToolParser,
  type Vulnerability,
} from './security-tools/findings.ts';
import { parseLynis } from './security-tools/lynis.ts';
import { parseRkhunter } from './security-tools/rkhunter.ts';
import { parseTrivy } from './security-tools/trivy.ts';
import { sortedTexts } from './values.ts';

const defaultDirectory = '/var/lib/vigo/security';
const fileLimit = 32 * 1024 * 1024;
const cveLimit = 500;
const packageLimit = 20;

const tools: Readonly<Record<string, { readonly file: string; readonly parse: ToolParser }>> = {
  trivy: { file: 'trivy.json', parse: parseTrivy },
  lynis: { file: 'lynis-report.dat', parse: parseLynis },
  chkrootkit: { file: 'chkrootkit.log', parse: parseChkrootkit },
  rkhunter: { file: 'rkhunter.log', parse: parseRkhunter },
  clamav: { file: 'clamav.log', parse: parseClamav },
  aide: { file: 'aide.log', parse: parseAide },
  debsecan: { file: 'debsecan.txt', parse: parseDebsecan },
};

interface Scan {
  readonly stamp: string;
  /** UTC in ISO 8601. */
  readonly written: string;
  readonly result: Findings | { readonly error: string };
}

/** security_scan: a section per tool whose file is there; a file is read again when it was written. */
export function createSecurityScanCollector(): TraitCollector {
  let known = new Map<string, Scan>();
  let made: { scans: readonly Scan[]; value: PolicyValue } | undefined;
  return {
    name: 'security_scan',
    collect: async ({ platform, facts }) => {
      const directory = facts.securityDirectory ?? defaultDirectory;
      const scans = new Map<string, Scan>();
      for (const [name, { file, parse }] of Object.entries(tools)) {
        const scan = await readScan(platform, `${directory}/${file}`, parse, known.get(name));
        if (scan !== undefined) scans.set(name, scan);
      }
      known = scans;
      if (scans.size === 0) return undefined;
      const list = [...scans.values()];
      const same =
        made?.scans.length === list.length && made.scans.every((one, at) => one === list[at]);
      if (made === undefined || !same) made = { scans: list, value: summarize(scans) };
      return made.value;
    },
  };
}

async function readScan(
  platform: Platform,
  path: string,
  parse: ToolParser,
  before: Scan | undefined,
): Promise<Scan | undefined> {
  return await readMachineBytes(platform, path, fileLimit, async (stamp, read, status) => {
    if (before?.stamp === stamp) return before;
    const written = new Date(status.modifiedMs).toISOString().replace(/\.\d+Z$/, 'Z');
    return { stamp, written, result: await parsed(read, parse) };
  });
}

/** A file that is damaged, hostile or too large says so in its tool's place and costs no other. */
async function parsed(read: () => Promise<Uint8Array>, parse: ToolParser): Promise<Scan['result']> {
  try {
    return parse(new TextDecoder().decode(await read()));
  } catch (error) {
    if (error instanceof ToolOutputError) return { error: error.message };
    if (!(error instanceof PlatformError)) throw error;
    return { error: error.code === 'EFBIG' ? `larger than ${fileLimit} bytes` : error.message };
  }
}

function summarize(scans: ReadonlyMap<string, Scan>): PolicyValue {
  const sections: Record<string, PolicyValue> = {};
  const errors: Record<string, string> = {};
  const vulnerabilities: Vulnerability[] = [];
  for (const [name, { result }] of scans) {
    if ('error' in result) errors[name] = result.error;
    else {
      sections[name] = result.section;
      for (const one of result.vulnerabilities ?? []) vulnerabilities.push(one);
    }
  }
  const cves = joined(vulnerabilities);
  const count = (severity: string) => cves.filter((one) => one.severity === severity).length;
  return {
    unique_critical: count('critical'),
    unique_high: count('high'),
    unique_medium: count('medium'),
    unique_low: count('low'),
    cves: cves.slice(0, cveLimit),
    last_scan: Object.fromEntries([...scans].map(([name, { written }]) => [name, written])),
    ...(Object.keys(errors).length === 0 ? {} : { errors }),
    ...sections,
  };
}

/** Each CVE once, the worst first, with what all tools say of it. */
function joined(vulnerabilities: readonly Vulnerability[]) {
  const byId = new Map<string, { severity: number; packages: Set<string>; title: string }>();
  for (const { id, severity, packageName, title } of vulnerabilities) {
    const rank = severities.indexOf(severity);
    const cve = byId.get(id) ?? { severity: rank, packages: new Set(), title };
    cve.severity = Math.min(cve.severity, rank);
    if (cve.packages.size < packageLimit) cve.packages.add(packageName);
    if (cve.title === '') cve.title = title;
    byId.set(id, cve);
  }
  const order = [...byId].sort(([a, x], [b, y]) => x.severity - y.severity || (a < b ? -1 : 1));
  return order.map(([id, { severity, packages, title }]) => ({
    id,
    severity: severities[severity]!,
    packages: sortedTexts(packages),
    title,
  }));
}
