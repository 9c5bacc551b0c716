import type { Address } from '../../runtime/actor.ts';

/**
 * Stacks that people send from their own machine. They stand in a directory of their own for as long
 * as somebody asks about them; the server's stack directory is never touched. One actor.
 */
export type UploadMessages = {
  /** Rejects with UPLOAD_BAD_PATH, UPLOAD_LIMIT or UPLOAD_DISK; nothing is left then. */
  put: { payload: { files: readonly UploadedFile[] }; reply: { directory: string } };
  /** Only of a directory that `put` named; others are ignored. */
  drop: { payload: { directory: string }; reply: undefined };
};

export interface UploadedFile {
  /** Relative to the stack, with slashes. */
  readonly path: string;
  readonly text: string;
}

/** Files of one upload. */
export const uploadFilesMax = 10_000;
/** Characters of a path. */
export const uploadPathMax = 500;
/** Uploads that stand at the same time. */
export const uploadsMax = 16;

export function uploadAddress(): Address<UploadMessages> {
  return { kind: 'upload', key: 'main' };
}
