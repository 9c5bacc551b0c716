import { Type } from 'typebox';
import type { StackReference } from '../../../../actors/publish/messages.ts';
import {
  uploadAddress,
  uploadFilesMax,
  uploadPathMax,
} from '../../../../actors/upload/messages.ts';
import { AdminError } from '../../../errors.ts';
import type { Backend } from '../../backend.ts';
import { object } from '../../schemas.ts';

/** Compiling for a large fleet takes its time; the client shows that it waits. */
export const publishDeadlineMs = 120_000;
/** For what is answered from memory or a small file. */
export const askDeadlineMs = 15_000;
/** JSON of a whole stack: its files may have 64 MB, and most have a few hundred kilobytes. */
export const stackBytesMax = 16 * 1024 * 1024;
const fileCharactersMax = 1024 * 1024;
const uploadDeadlineMs = 60_000;
const reasonLengthMax = 500;

export const reason = Type.String({ minLength: 1, maxLength: reasonLengthMax });
export const message = Type.String({ maxLength: reasonLengthMax, description: 'why' });
export const contentHash = Type.String({
  pattern: '^[0-9a-f]{64}$',
  description: "SHA-256 of the stack's files, hex",
});

/** A stack of the asker's own, instead of the server's. */
export const uploadedFiles = Type.Array(
  object({
    path: Type.String({ minLength: 1, maxLength: uploadPathMax }),
    text: Type.String({ maxLength: fileCharactersMax }),
  }),
  { minItems: 1, maxItems: uploadFilesMax, description: 'a whole stack, instead of the server’s' },
);

export const stackReference = Type.String({
  pattern: '^(live|stack|candidate|[0-9]{1,15})$',
  description: 'a version, "live", "stack" (the server’s directory) or "candidate"',
});

/** The text was checked by `stackReference`. */
export function toReference(text: string): StackReference {
  if (text === 'live' || text === 'stack' || text === 'candidate') return text;
  return Number(text);
}

type Files = readonly { readonly path: string; readonly text: string }[];

/** Runs with a directory that holds the sent files, or with none when none were sent. */
export async function withUpload<T>(
  backend: Backend,
  files: Files | undefined,
  run: (at: { directory?: string }) => Promise<T>,
): Promise<T> {
  if (files === undefined) return await run({});
  const twice = firstTwice(files.map(({ path }) => path));
  if (twice !== undefined) throw new AdminError('API_BAD_REQUEST', `body/files has ${twice} twice`);
  const { directory } = await backend.ask(uploadAddress(), 'put', { files }, uploadDeadlineMs);
  try {
    return await run({ directory });
  } finally {
    await backend.ask(uploadAddress(), 'drop', { directory }, askDeadlineMs).catch(() => undefined);
  }
}

function firstTwice(names: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return names.find((name) => seen.size === seen.add(name).size);
}
