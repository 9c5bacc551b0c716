import { contentDiff } from '../../converge/diff.ts';
import type { FileStatus } from '../../platform/platform.ts';
import { isPublic } from './places.ts';

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index += 1) if (a[index] !== b[index]) return false;
  return true;
}

export interface ContentChange {
  readonly status: FileStatus | undefined;
  readonly content: Uint8Array | undefined;
  readonly wanted: Uint8Array | undefined;
}

/**
 * The change of a file's content for a report. What not everybody may read on the node, before or
 * after, is not shown: it may be a key or a password.
 */
export function contentChange(path: string, mode: number, change: ContentChange): string {
  const { status } = change;
  const wanted = change.wanted ?? new Uint8Array();
  const old = status?.kind === 'file' ? status.size : 0;
  const wasPublic = status?.kind !== 'file' || isPublic(status.mode);
  if (!isPublic(mode) || !wasPublic)
    return `content not shown (not public), ${old} -> ${wanted.length} bytes`;
  if (status?.kind === 'file' && change.content === undefined)
    return `content too large to be shown, ${old} -> ${wanted.length} bytes`;
  return contentDiff(path, change.content ?? new Uint8Array(), wanted);
}
