import { isArmoured, keyFingerprints } from '../../platform/packages/openpgp.ts';
import type { ResourceContext } from '../contract.ts';
import { mustRun } from '../unix/tool.ts';
import type { RepositoryFormat } from './repository-files.ts';

/** Where a package manager has the key of a source, by its declared name and URL. */
export function keyPath(format: RepositoryFormat, name: string, url: string | undefined): string {
  if (format === 'apk') return `/etc/apk/keys/${url === undefined ? name : keyFile(url)}`;
  if (format === 'pacman') return `/etc/pacman.d/vigo/${name}.asc`;
  const isApt = format === 'list' || format === 'deb822';
  return `${isApt ? '/etc/apt/keyrings' : '/etc/pki/rpm-gpg'}/vigo-${name}.asc`;
}

/** A signature of apk names the file of its key, so the name is kept. */
function keyFile(url: string): string {
  const name = url.split(/[?#]/)[0]!.split('/').at(-1)!;
  return /^[A-Za-z0-9@._-]+$/.test(name) && !name.startsWith('.') ? name : 'vigo.rsa.pub';
}

/** Fingerprints of the keys in a file; undefined when it holds none. apk's keys have none. */
export function fingerprintsOf(
  format: RepositoryFormat,
  bytes: Uint8Array,
): readonly string[] | undefined {
  if (format !== 'apk') return keyFingerprints(bytes);
  return /^-----BEGIN PUBLIC KEY-----\n/.test(new TextDecoder().decode(bytes)) ? [] : undefined;
}

const columns = 64;

/** apt tells the two forms apart by the name of the file, so all keys are kept in one. */
export function keptForm(format: RepositoryFormat, bytes: Uint8Array): Uint8Array {
  if (format === 'apk' || isArmoured(bytes)) return bytes;
  const base64 = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
  const lines = base64.match(new RegExp(`.{1,${columns}}`, 'g')) ?? [];
  const edge = (word: string) => `-----${word} PGP PUBLIC KEY BLOCK-----`;
  return new TextEncoder().encode([edge('BEGIN'), '', ...lines, edge('END'), ''].join('\n'));
}

/** pacman trusts what is in its own keyring and signed by this machine. */
export async function trustByPacman(
  file: string,
  fingerprint: string,
  context: ResourceContext,
): Promise<void> {
  await mustRun(['pacman-key', '--add', file], context, 'AGENT_KEY_REFUSED');
  await mustRun(['pacman-key', '--lsign-key', fingerprint], context, 'AGENT_KEY_REFUSED');
}
