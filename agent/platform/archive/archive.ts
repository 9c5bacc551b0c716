import { hash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { AgentError } from '../../errors.ts';
import { causeOf, runTool } from '../command.ts';
import type { Platform } from '../platform.ts';
import { type ArchiveEntry, checkTree, invalid, unpackedBytesLimit, unsafe } from './entries.ts';
import { readTar } from './tar.ts';
import { readZip } from './zip.ts';

const unpackTimeoutMs = 300_000;
const block = 512;
/** SIGXFSZ: the program wrote more than it may. */
const tooLarge = 'SIGXFSZ';
/** Of a shell that does not find the program. */
const notFound = 127;

/** Programs that unpack in place of the file, which loses its ending. */
const programs = [
  { magic: [0x42, 0x5a, 0x68], program: 'bzip2', ending: '.bz2' },
  { magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a], program: 'xz', ending: '.xz' },
] as const;

/**
 * What a tar.gz, tar.bz2, tar.xz, tar or zip archive holds, told apart by its first bytes. Only bzip2
 * and xz need a program and a directory (`work`, real, the caller's own) for it.
 *
 * @throws {AgentError} AGENT_ARCHIVE_INVALID; AGENT_ARCHIVE_UNSAFE for names and links that lead
 * elsewhere, devices, and more than `unpackedBytesLimit` bytes.
 */
export async function readArchive(
  bytes: Uint8Array,
  work: string,
  platform: Platform,
  signal: AbortSignal,
): Promise<ArchiveEntry[]> {
  const entries = await readEntries(bytes, work, platform, signal);
  checkTree(entries);
  return entries;
}

async function readEntries(
  bytes: Uint8Array,
  work: string,
  platform: Platform,
  signal: AbortSignal,
): Promise<ArchiveEntry[]> {
  if (startsWith(bytes, [0x50, 0x4b])) return readZip(bytes);
  if (startsWith(bytes, [0x1f, 0x8b])) return readTar(await inflated(bytes));
  const packed = programs.find(({ magic }) => startsWith(bytes, magic));
  if (packed === undefined) return readTar(bytes);
  const file = `${work}/archive`;
  await platform.files.writeAtomic(`${file}${packed.ending}`, bytes, { mode: 0o600 });
  const limit = String(Math.ceil(unpackedBytesLimit / block));
  // The limit of a file's size is the shell's to set; the words after it are no text of the shell.
  const script = 'ulimit -f "$1"; exec "$2" -d -- "$3"';
  const words = [limit, packed.program, `${file}${packed.ending}`];
  const argv = ['/bin/sh', '-c', script, 'sh', ...words] as const;
  const result = await runTool(platform, argv, { timeoutMs: unpackTimeoutMs, signal });
  if (result.signal === tooLarge || /File too large/.test(result.stderr)) throw bomb();
  if (result.exitCode === notFound)
    throw new AgentError('AGENT_COMMAND_MISSING', { detail: packed.program });
  if (result.exitCode !== 0) throw invalid(causeOf(result));
  return readTar(await platform.files.read(file, unpackedBytesLimit));
}

async function inflated(bytes: Uint8Array): Promise<Uint8Array> {
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: unpackedBytesLimit });
  } catch (thrown) {
    if (thrown instanceof RangeError) throw bomb();
    throw invalid(thrown instanceof Error ? thrown.message : 'gzip');
  }
}

function bomb() {
  return unsafe(`it unpacks to more than ${unpackedBytesLimit} bytes`);
}

function startsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, index) => bytes[index] === byte);
}

/** SHA-256 in lower-case hexadecimal. */
export function sha256Hex(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'hex');
}
