import { sshkeySchema } from '../../policy/resource-schemas/sshkey.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import { ParameterReader } from '../parameters.ts';
import { editEntry } from './entry-edit.ts';
import { splitText } from './line-edit.ts';
import { readPath } from './places.ts';
import { type TextEditSpec, textEditType } from './text-edit.ts';

export interface SshkeySpec extends TextEditSpec {
  readonly hostname: string;
  /** Undefined, for absent, means every type. */
  readonly keyType: string | undefined;
  readonly key: string;
  /** Undefined leaves the names that are there. */
  readonly aliases: readonly string[] | undefined;
}

/** A host, an address, or one of them with a port: [host]:2222. */
const namePattern = /^(?:[A-Za-z0-9_.:%*?-]{1,255}|\[[A-Za-z0-9_.:%-]{1,255}\]:\d{1,5})$/;
/** The short names that Puppet knows. */
const shortTypes: Readonly<Record<string, string>> = {
  rsa: 'ssh-rsa',
  dsa: 'ssh-dss',
  ed25519: 'ssh-ed25519',
};

/**
 * A key of a host in a known_hosts file, found by the first name of the line and the type of the key.
 * Hashed names, @cert-authority and @revoked lines are left alone.
 */
export const sshkeyType = textEditType<SshkeySpec>({
  name: 'sshkey',
  parameters: sshkeySchema.parameters,
  parse,
  edit: editKnownHosts,
  reason: (spec, text) => {
    const found = splitText(text).bare.filter((line) => isEntry(line, spec)).length;
    const what = `the ${spec.keyType ?? 'keys'}${spec.keyType === undefined ? '' : ' key'} of ${spec.hostname}`;
    if (spec.absent) return `${what} is known`;
    return found === 0 ? `${what} is not known` : `${what} differs`;
  },
});

function parse(values: Readonly<Record<string, PolicyValue>>): SshkeySpec {
  const reader = new ParameterReader(sshkeySchema.parameters, values);
  const declared = reader.text('sshkey_type');
  const spec: SshkeySpec = {
    path: readPath(reader, 'file'),
    absent: reader.absent(),
    create: true,
    hostname: reader.text('hostname') ?? '',
    keyType: declared === undefined ? undefined : (shortTypes[declared] ?? declared),
    key: reader.text('sshkey') ?? '',
    aliases: reader.list('aliases'),
  };
  for (const name of [spec.hostname, ...(spec.aliases ?? [])])
    if (name !== '' && !namePattern.test(name))
      reader.problem(name === spec.hostname ? 'hostname' : 'aliases', 'must be host names');
  if (!spec.absent) {
    if (spec.keyType === undefined) reader.problem('sshkey_type', 'is required for state present');
    if (spec.key === '') reader.problem('sshkey', 'is required for state present');
    else if (typeInside(spec.key) !== spec.keyType)
      reader.problem('sshkey', 'is no key of that type in base64');
  }
  reader.finish();
  return spec;
}

/** RFC 4253: a key blob begins with its type, as a length of four bytes and the text. */
function typeInside(key: string): string | undefined {
  try {
    const blob = atob(key);
    const length = [0, 1, 2, 3].reduce((sum, index) => sum * 256 + blob.charCodeAt(index), 0);
    return blob.length > 4 + length ? blob.slice(4, 4 + length) : undefined;
  } catch {
    return undefined;
  }
}

interface Entry {
  readonly names: readonly string[];
  readonly type: string;
  readonly key: string;
  readonly comment: string;
}

function readEntry(line: string): Entry | undefined {
  if (/^\s*[#@|]/.test(line)) return undefined;
  const match = /^\s*(\S+)\s+(\S+)\s+(\S+)(.*)$/.exec(line);
  if (match === null) return undefined;
  const [, names, type, key, comment] = match;
  return { names: names!.split(','), type: type!, key: key!, comment: comment! };
}

function isEntry(line: string, spec: SshkeySpec): boolean {
  const entry = readEntry(line);
  if (entry === undefined || entry.names[0]!.toLowerCase() !== spec.hostname.toLowerCase())
    return false;
  return spec.keyType === undefined || entry.type === spec.keyType;
}

export function editKnownHosts(text: string, spec: SshkeySpec): string {
  return editEntry(text, {
    absent: spec.absent,
    isEntry: (line) => isEntry(line, spec),
    rewritten: (line) => rewritten(line, spec),
    added: () =>
      `${[spec.hostname, ...(spec.aliases ?? [])].join(',')} ${spec.keyType} ${spec.key}`,
  });
}

function rewritten(line: string, spec: SshkeySpec): string {
  const entry = readEntry(line)!;
  const names = [spec.hostname, ...(spec.aliases ?? entry.names.slice(1))].join(',');
  if (entry.key === spec.key && entry.names.join(',') === names) return line;
  return `${names} ${spec.keyType} ${spec.key}${entry.comment}`;
}
