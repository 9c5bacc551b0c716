import { type ArchiveEntry, checkLink, entryLimit, invalid, safePath, unsafe } from './entries.ts';

const blockSize = 512;

/** Names and links that a header before an entry gives it (GNU "L" and "K", pax "x"). */
interface Overrides {
  path?: string;
  link?: string;
  size?: number;
}

/** Reads a tar archive: ustar, with the long names of GNU tar and of pax. */
export function readTar(bytes: Uint8Array): ArchiveEntry[] {
  const entries: ArchiveEntry[] = [];
  const files = new Map<string, Extract<ArchiveEntry, { kind: 'file' }>>();
  let overrides: Overrides = {};
  for (let at = 0; at + blockSize <= bytes.length; ) {
    const header = bytes.subarray(at, at + blockSize);
    if (header.every((byte) => byte === 0)) break;
    checkSum(header);
    const type = String.fromCharCode(header[156]!);
    const size = overrides.size !== undefined && !isMeta(type) ? overrides.size : readSize(header);
    const start = at + blockSize;
    const end = start + size;
    if (end > bytes.length) throw invalid('it ends within an entry');
    const body = bytes.subarray(start, end);
    at = start + Math.ceil(size / blockSize) * blockSize;
    if (isMeta(type)) {
      overrides = { ...overrides, ...readMeta(type, body) };
      continue;
    }
    const entry = readEntry(type, header, body, overrides, files);
    overrides = {};
    if (entry === undefined || entry.path === '') continue;
    if (entry.kind === 'file') files.set(entry.path, entry);
    if (entries.push(entry) > entryLimit) throw unsafe(`it has more than ${entryLimit} entries`);
  }
  if (entries.length === 0) throw invalid('nothing is in it');
  return entries;
}

function isMeta(type: string): boolean {
  return 'LKxg'.includes(type);
}

function readEntry(
  type: string,
  header: Uint8Array,
  bytes: Uint8Array,
  overrides: Overrides,
  files: ReadonlyMap<string, Extract<ArchiveEntry, { kind: 'file' }>>,
): ArchiveEntry | undefined {
  const prefix = field(header, 257, 6) === 'ustar' ? field(header, 345, 155) : '';
  const name = field(header, 0, 100);
  const path = safePath(overrides.path ?? (prefix === '' ? name : `${prefix}/${name}`));
  const link = overrides.link ?? field(header, 157, 100);
  const mode = Number.parseInt(field(header, 100, 8).trim() || '644', 8) & 0o777;
  switch (type) {
    case '0':
    case '\0':
    case '7':
      return { kind: 'file', path, mode, bytes };
    case '5':
      return { kind: 'directory', path, mode };
    case '2':
      checkLink(path, link);
      return { kind: 'symlink', path, target: link };
    case '1': {
      const original = files.get(safePath(link));
      if (original === undefined) throw invalid(`${path} is a link to what is not in it`);
      return { ...original, path };
    }
    default:
      throw unsafe(`${path} is a device, a pipe or something else that is no file`);
  }
}

function readMeta(type: string, body: Uint8Array): Overrides {
  const text = new TextDecoder().decode(body);
  if (type === 'L') return { path: text.replace(/\0.*$/s, '') };
  if (type === 'K') return { link: text.replace(/\0.*$/s, '') };
  if (type === 'g') return {};
  const found: Overrides = {};
  for (let at = 0; at < body.length; ) {
    const space = body.indexOf(0x20, at);
    const length = Number(new TextDecoder().decode(body.subarray(at, space)));
    if (space === -1 || !Number.isInteger(length) || length < 5) throw invalid('a pax header');
    const record = new TextDecoder().decode(body.subarray(space + 1, at + length - 1));
    const value = record.slice(record.indexOf('=') + 1);
    if (record.startsWith('path=')) found.path = value;
    if (record.startsWith('linkpath=')) found.link = value;
    if (record.startsWith('size=')) found.size = wholeNumber(value);
    at += length;
  }
  return found;
}

/** Octal digits, or binary with the highest bit set where they do not suffice. */
function readSize(header: Uint8Array): number {
  if ((header[124]! & 0x80) === 0) {
    const digits = field(header, 124, 12).trim();
    if (!/^[0-7]*$/.test(digits)) throw invalid('an entry has no size');
    return digits === '' ? 0 : Number.parseInt(digits, 8);
  }
  let size = header[124]! & 0x7f;
  for (const byte of header.subarray(125, 136)) size = size * 256 + byte;
  if (!Number.isSafeInteger(size)) throw invalid('an entry has no size');
  return size;
}

function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw invalid('an entry has no size');
  return Number(text);
}

function checkSum(header: Uint8Array): void {
  const declared = Number.parseInt(field(header, 148, 8).trim(), 8);
  let sum = 0;
  for (let at = 0; at < blockSize; at += 1) sum += at >= 148 && at < 156 ? 0x20 : header[at]!;
  if (sum !== declared) throw invalid('a header is damaged, or it is no tar archive');
}

function field(header: Uint8Array, start: number, length: number): string {
  const bytes = header.subarray(start, start + length);
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end === -1 ? bytes : bytes.subarray(0, end));
}
