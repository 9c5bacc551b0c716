import { hostSchema } from '../../policy/resource-schemas/host.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import { ParameterReader } from '../parameters.ts';
import { editEntry } from './entry-edit.ts';
import { splitText } from './line-edit.ts';
import { type TextEditSpec, textEditType } from './text-edit.ts';

export interface HostSpec extends TextEditSpec {
  readonly hostname: string;
  /** Undefined, for absent, means every address. */
  readonly ip: string | undefined;
  /** Undefined leaves the aliases that are there. */
  readonly aliases: readonly string[] | undefined;
}

const namePattern = /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?$/;

/**
 * One entry of /etc/hosts, found by its first name. A name may have an IPv4 and an IPv6 entry, as
 * localhost does: each is a resource of its own. Comments at the end of a line stay.
 */
export const hostType = textEditType<HostSpec>({
  name: 'host',
  parameters: hostSchema.parameters,
  parse,
  edit: editHosts,
  reason: (spec, text) => {
    const found = splitText(text).bare.filter((line) => isEntry(line, spec)).length;
    if (spec.absent) return `${spec.hostname} has an entry`;
    if (found === 0) return `${spec.hostname} has no entry`;
    return found > 1
      ? `${spec.hostname} has ${found} entries`
      : `the entry of ${spec.hostname} differs`;
  },
});

function parse(values: Readonly<Record<string, PolicyValue>>): HostSpec {
  const reader = new ParameterReader(hostSchema.parameters, values);
  const given = values.aliases;
  const words = Array.isArray(given)
    ? given.map(String)
    : reader.textOrEmpty('aliases')?.split(/[\s,]+/);
  const spec: HostSpec = {
    path: '/etc/hosts',
    absent: reader.absent(),
    create: true,
    hostname: reader.text('hostname') ?? '',
    ip: reader.text('ip'),
    aliases: words?.filter((word) => word !== ''),
  };
  if (!spec.absent && spec.ip === undefined) reader.problem('ip', 'is required for state present');
  if (spec.aliases?.some((alias) => !namePattern.test(alias)))
    reader.problem('aliases', 'must be host names');
  if (spec.aliases?.some((alias) => sameName(alias, spec.hostname)))
    reader.problem('aliases', 'must not repeat the host name');
  reader.finish();
  return spec;
}

function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

interface Entry {
  readonly ip: string;
  readonly names: readonly string[];
  /** With the space before it; "" when there is none. */
  readonly comment: string;
}

function readEntry(line: string): Entry | undefined {
  const comment = /\s*#.*$/.exec(line)?.[0] ?? '';
  const [ip, ...names] = line
    .slice(0, line.length - comment.length)
    .trim()
    .split(/\s+/);
  return ip === undefined || names.length === 0 ? undefined : { ip, names, comment };
}

function isEntry(line: string, spec: HostSpec): boolean {
  const entry = readEntry(line);
  if (entry === undefined || !sameName(entry.names[0]!, spec.hostname)) return false;
  if (spec.ip === undefined) return true;
  if (spec.absent) return sameName(entry.ip, spec.ip);
  return entry.ip.includes(':') === spec.ip.includes(':');
}

export function editHosts(text: string, spec: HostSpec): string {
  return editEntry(text, {
    absent: spec.absent,
    isEntry: (line) => isEntry(line, spec),
    rewritten: (line) => rewritten(line, spec),
    added: () => [`${spec.ip}\t${spec.hostname}`, ...(spec.aliases ?? [])].join(' '),
  });
}

/** A line that says the same is left as it is written. */
function rewritten(line: string, spec: HostSpec): string {
  const { ip, names, comment } = readEntry(line)!;
  const wanted = [spec.hostname, ...(spec.aliases ?? names.slice(1))];
  if (sameName(ip, spec.ip!) && wanted.join(' ') === names.join(' ')) return line;
  return `${spec.ip}\t${wanted.join(' ')}${comment}`;
}
