import type { PackageRecord } from './package-manager.ts';

/** Where dpkg keeps what is installed (deb822, dpkg(1)). */
export const dpkgStatusPath = '/var/lib/dpkg/status';

const packageLimit = 200_000;
const fieldPattern = /^(Package|Version|Architecture|Status):[ \t]*(.*)$/;

/** Parses /var/lib/dpkg/status; keys are names and "name:architecture". Unreadable stanzas are left out. */
export function parseDpkgStatus(text: string): ReadonlyMap<string, PackageRecord> {
  const records = new Map<string, PackageRecord>();
  for (const stanza of text.split(/\n\n+/)) {
    const record = parseStanza(stanza);
    if (record === undefined) continue;
    if (records.size >= packageLimit) break;
    const present = records.get(record.name);
    if (present === undefined || present.status === 'configuration')
      records.set(record.name, record);
    records.set(`${record.name}:${record.architecture}`, record);
  }
  return records;
}

function parseStanza(stanza: string): PackageRecord | undefined {
  const fields: Record<string, string> = {};
  for (const line of stanza.split('\n')) {
    const match = fieldPattern.exec(line);
    if (match !== null) fields[match[1]!] = match[2]!.trim();
  }
  if (!fields.Package || !fields.Status) return undefined;
  const [want, flag, state] = fields.Status.split(/\s+/);
  const status = statusOf(state, flag);
  if (status === undefined) return undefined;
  return {
    name: fields.Package,
    version: fields.Version ?? '',
    architecture: fields.Architecture ?? '',
    status,
    held: want === 'hold',
  };
}

/** States of dpkg-query(1); triggers-* are installed ones that wait for another package. */
function statusOf(state: string | undefined, flag: string | undefined) {
  if (flag === 'reinstreq') return 'broken';
  switch (state) {
    case 'installed':
    case 'triggers-awaited':
    case 'triggers-pending':
      return 'installed';
    case 'unpacked':
    case 'half-configured':
    case 'half-installed':
      return 'broken';
    case 'config-files':
      return 'configuration';
    default:
      return undefined;
  }
}
