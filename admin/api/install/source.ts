import { createHash, X509Certificate } from 'node:crypto';
import { open, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { AdminError } from '../../errors.ts';

/** The agent's program for one platform, as it lies in the server's home (docs/install.md). */
export interface AgentRelease {
  readonly version: string;
  /** "linux-x64". */
  readonly platform: string;
  /** Of the program, unpacked. */
  readonly bytes: number;
  /** Of the program, unpacked; lower-case hexadecimal. */
  readonly sha256: string;
  /** Its compressed forms: "gz" always, "xz" perhaps. */
  readonly forms: readonly string[];
}

/** What new machines are told and given. */
export interface InstallSource {
  /** Of the server's key, as curl and wget take it: "sha256//" and base64. */
  readonly pin: string;
  /** The name under which machines reach this server unless somebody says another. */
  readonly address: string;
  readonly grpcPort: number;
  readonly apiPort: number;
  /** The newest of each platform. */
  releases(): Promise<readonly AgentRelease[]>;
  /** A file of the directory. Throws API_NOT_FOUND, and API_BUSY when too many are under way. */
  open(file: string): Promise<{ readonly bytes: number; readonly stream: Readable }>;
}

export interface InstallFacts {
  readonly directory: string;
  /** PEM; the leaf comes first. */
  readonly certificateChain: string;
  readonly grpcPort: number;
  readonly apiPort: () => number;
  /** Candidates for the name to dial, best first; empty ones and wildcards are skipped. */
  readonly names: readonly string[];
}

/** The name of every file that is served. */
export const releaseFilePattern =
  /^vigo-(\d[0-9A-Za-z.+-]*?)-(linux-x64|linux-arm64)\.(gz|xz|json)$/;
/** Programs that are being sent at once; a machine that waits asks again. */
const downloadLimit = 64;
/** Files of the directory that are looked at. */
const fileLimit = 300;
const manifestBytesMax = 64 * 1024;

const unreachableNames = new Set(['', '0.0.0.0', '::']);

export function createInstallSource(facts: InstallFacts): InstallSource {
  const leaf = new X509Certificate(facts.certificateChain);
  const key = leaf.publicKey.export({ type: 'spki', format: 'der' });
  let downloads = 0;
  return {
    pin: `sha256//${createHash('sha256').update(key).digest('base64')}`,
    address: facts.names.find((name) => !unreachableNames.has(name)) ?? 'localhost',
    grpcPort: facts.grpcPort,
    get apiPort() {
      return facts.apiPort();
    },
    releases: () => readReleases(facts.directory),
    open: async (file) => {
      if (!releaseFilePattern.test(file)) throw new AdminError('API_NOT_FOUND', file);
      if (downloads >= downloadLimit) throw new AdminError('API_BUSY', `${downloads} downloads`);
      downloads += 1;
      try {
        const handle = await open(join(facts.directory, file), 'r');
        const { size: bytes } = await handle.stat();
        const stream = handle.createReadStream();
        stream.once('close', () => {
          downloads -= 1;
        });
        return { bytes, stream };
      } catch {
        downloads -= 1;
        throw new AdminError('API_NOT_FOUND', `${file} of the agent's programs`);
      }
    },
  };
}

async function readReleases(directory: string): Promise<readonly AgentRelease[]> {
  const names = await readdir(directory).catch(() => []);
  const newest = new Map<string, AgentRelease>();
  for (const name of names.slice(0, fileLimit)) {
    const parts = releaseFilePattern.exec(name);
    if (parts?.[3] !== 'json') continue;
    const release = await readRelease(directory, name, names);
    if (release === undefined || release.version !== parts[1]) continue;
    const known = newest.get(release.platform);
    if (known === undefined || isNewer(release.version, known.version))
      newest.set(release.platform, release);
  }
  return [...newest.values()].sort((a, b) => (a.platform < b.platform ? -1 : 1));
}

/** Undefined when the manifest is none, or the program that it describes is not there. */
async function readRelease(
  directory: string,
  name: string,
  names: readonly string[],
): Promise<AgentRelease | undefined> {
  const path = join(directory, name);
  try {
    if ((await stat(path)).size > manifestBytesMax) return undefined;
    const text = JSON.parse(await readFile(path, 'utf8')) as Partial<AgentRelease>;
    const { version, platform, bytes, sha256 } = text;
    const forms = ['gz', 'xz'].filter((form) => names.includes(name.replace(/json$/, form)));
    const valid =
      typeof version === 'string' &&
      typeof platform === 'string' &&
      Number.isSafeInteger(bytes) &&
      /^[0-9a-f]{64}$/.test(sha256 ?? '') &&
      name === `vigo-${version}-${platform}.json` &&
      forms[0] === 'gz';
    return valid
      ? { version, platform, bytes: bytes ?? 0, sha256: sha256 ?? '', forms }
      : undefined;
  } catch {
    return undefined;
  }
}

/** Numbers by value, the rest by its characters; a version with a suffix is before the one without. */
export function isNewer(version: string, than: string): boolean {
  const [a, b] = [parts(version), parts(than)];
  for (let at = 0; at < Math.max(a.numbers.length, b.numbers.length); at += 1) {
    const difference = (a.numbers[at] ?? 0) - (b.numbers[at] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  if (a.suffix === b.suffix) return false;
  return a.suffix === '' || (b.suffix !== '' && a.suffix > b.suffix);
}

function parts(version: string): { numbers: number[]; suffix: string } {
  const [, numbers = '', suffix = ''] = /^([\d.]*)(.*)$/.exec(version) ?? [];
  return { numbers: numbers.split('.').map(Number), suffix };
}
