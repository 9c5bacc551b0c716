import { AgentError } from '../../errors.ts';

/** One thing that an archive holds. Names are relative, without "." and "..". */
export type ArchiveEntry =
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly mode: number;
      readonly bytes: Uint8Array;
    }
  | { readonly kind: 'directory'; readonly path: string; readonly mode: number }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string };

/** Bytes of all files of an archive together; more is taken for a bomb. */
export const unpackedBytesLimit = 1024 * 1024 * 1024;
export const entryLimit = 100_000;
const pathLimit = 4096;

export function unsafe(detail: string): AgentError {
  return new AgentError('AGENT_ARCHIVE_UNSAFE', { detail });
}

export function invalid(detail: string): AgentError {
  return new AgentError('AGENT_ARCHIVE_INVALID', { detail });
}

/** The name without "." parts; "" for the top itself. Throws for one that leads elsewhere. */
export function safePath(name: string): string {
  if (name.startsWith('/') || /[\0\\]/.test(name) || name.length > pathLimit)
    throw unsafe(`an entry is called ${JSON.stringify(name.slice(0, 200))}`);
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..'))
    throw unsafe(`an entry is called ${JSON.stringify(name.slice(0, 200))}`);
  return parts.join('/');
}

/** Refuses a link that leads out of the tree: an absolute one, or one with too many "..". */
export function checkLink(path: string, target: string): void {
  let depth = path.split('/').length - 1;
  const parts = target.split('/').filter((part) => part !== '' && part !== '.');
  for (const part of parts) {
    depth += part === '..' ? -1 : 1;
    if (depth < 0) break;
  }
  if (target === '' || target.startsWith('/') || target.includes('\0') || depth < 0)
    throw unsafe(`the link ${path} leads to ${JSON.stringify(target.slice(0, 200))}`);
}

/**
 * Refuses what could be written through a link or over something else: two entries of one name, of
 * which one is no directory, and entries below a file or link.
 */
export function checkTree(entries: readonly ArchiveEntry[]): void {
  const kinds = new Map<string, ArchiveEntry['kind']>();
  for (const { path, kind } of entries) {
    const known = kinds.get(path);
    if (known !== undefined && (known !== 'directory' || kind !== 'directory'))
      throw unsafe(`${path} is in it twice`);
    kinds.set(path, kind);
  }
  for (const { path } of entries)
    for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) {
      const kind = kinds.get(path.slice(0, slash));
      if (kind !== undefined && kind !== 'directory') throw unsafe(`${path} lies below a ${kind}`);
    }
}
