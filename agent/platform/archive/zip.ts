import { crc32, inflateRawSync } from 'node:zlib';
import {
  type ArchiveEntry,
  checkLink,
  entryLimit,
  invalid,
  safePath,
  unpackedBytesLimit,
  unsafe,
} from './entries.ts';

const endSignature = 0x06054b50;
const centralSignature = 0x02014b50;
const localSignature = 0x04034b50;
const endLength = 22;
const commentLimit = 65_535;
const stored = 0;
const deflated = 8;
const unix = 3;
const fileTypeMask = 0o170000;
const linkType = 0o120000;

/** Reads a zip archive (stored and deflated entries, up to 4 GiB, not encrypted). */
export function readZip(bytes: Uint8Array): ArchiveEntry[] {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    return readDirectory(view);
  } catch (thrown) {
    if (thrown instanceof RangeError) throw invalid('it ends within an entry');
    throw thrown;
  }
}

function readDirectory(view: Buffer): ArchiveEntry[] {
  const end = findEnd(view);
  const count = view.readUInt16LE(end + 10);
  if (count > entryLimit) throw unsafe(`it has more than ${entryLimit} entries`);
  const entries: ArchiveEntry[] = [];
  let at = view.readUInt32LE(end + 16);
  let total = 0;
  for (let index = 0; index < count; index += 1) {
    if (view.readUInt32LE(at) !== centralSignature) throw invalid('its directory is damaged');
    total += view.readUInt32LE(at + 24);
    if (total > unpackedBytesLimit)
      throw unsafe(`it unpacks to more than ${unpackedBytesLimit} bytes`);
    const entry = readEntry(view, at);
    if (entry.path !== '') entries.push(entry);
    at += 46 + view.readUInt16LE(at + 28) + view.readUInt16LE(at + 30) + view.readUInt16LE(at + 32);
  }
  if (entries.length === 0) throw invalid('nothing is in it');
  return entries;
}

function findEnd(view: Buffer): number {
  const first = Math.max(0, view.length - endLength - commentLimit);
  for (let at = view.length - endLength; at >= first; at -= 1)
    if (view.readUInt32LE(at) === endSignature) return at;
  throw invalid('it is no zip archive, or ends early');
}

function readEntry(view: Buffer, at: number): ArchiveEntry {
  const name = view.toString('utf8', at + 46, at + 46 + view.readUInt16LE(at + 28));
  const path = safePath(name);
  const attributes = view.readUInt8(at + 5) === unix ? view.readUInt32LE(at + 38) >>> 16 : 0;
  const mode = attributes & 0o777;
  if (name.endsWith('/')) return { kind: 'directory', path, mode: mode === 0 ? 0o755 : mode };
  const bytes = readBytes(view, at, path);
  if ((attributes & fileTypeMask) !== linkType)
    return { kind: 'file', path, mode: mode === 0 ? 0o644 : mode, bytes };
  const target = new TextDecoder().decode(bytes);
  checkLink(path, target);
  return { kind: 'symlink', path, target };
}

function readBytes(view: Buffer, at: number, path: string): Uint8Array {
  if ((view.readUInt16LE(at + 8) & 1) !== 0) throw invalid(`${path} is encrypted`);
  const method = view.readUInt16LE(at + 10);
  const packed = view.readUInt32LE(at + 20);
  const size = view.readUInt32LE(at + 24);
  const local = view.readUInt32LE(at + 42);
  if (view.readUInt32LE(local) !== localSignature)
    throw invalid(`${path} is not where it should be`);
  const start = local + 30 + view.readUInt16LE(local + 26) + view.readUInt16LE(local + 28);
  if (start + packed > view.length) throw invalid('it ends within an entry');
  const bytes = unpack(view.subarray(start, start + packed), method, size, path);
  if (bytes.length !== size || crc32(bytes) !== view.readUInt32LE(at + 16))
    throw invalid(`${path} is damaged`);
  return bytes;
}

function unpack(packed: Uint8Array, method: number, size: number, path: string): Uint8Array {
  if (method === stored) return packed;
  if (method !== deflated) throw invalid(`${path} is packed by a method that is not known`);
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(size, 1) });
  } catch {
    throw invalid(`${path} is damaged`);
  }
}
