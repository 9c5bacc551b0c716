import type { ActorKind, Turn } from '../../runtime/actor.ts';
import { ServerError } from '../errors.ts';
import {
  type UploadedFile,
  type UploadMessages,
  uploadFilesMax,
  uploadPathMax,
  uploadsMax,
} from './messages.ts';

const mailboxLimit = 100;
const idleAfterMs = 86_400_000;
const privateDirectory = 0o700;
const privateFile = 0o600;
/** Of a file system; a longer one could not be written. */
const partBytesMax = 255;

interface UploadState {
  /** Directories that stand. At most `uploadsMax`. */
  readonly standing: Set<string>;
}

type UploadTurn = Turn<UploadState>;

/** Keeps uploaded stacks below `directory`, which is its own. */
export function uploadKind(directory: string): ActorKind<UploadState, UploadMessages> {
  return {
    name: 'upload',
    placement: 'service',
    mailboxLimit,
    idleAfterMs,
    restart: { maxRestarts: 10, withinMs: 60_000 },
    activate: async ({ ports }) => {
      // What an earlier life left: nobody waits for it any more.
      await ports.disk.remove(directory).catch(() => undefined);
      return { standing: new Set() };
    },
    handlers: {
      put: (turn, { files }) => put(turn, directory, files),
      drop: async (turn, { directory: dropped }) => {
        if (!turn.state.standing.has(dropped)) return undefined;
        await turn.ports.disk.remove(dropped).catch(() => undefined);
        turn.state.standing.delete(dropped);
        return undefined;
      },
    },
  };
}

async function put(
  turn: UploadTurn,
  root: string,
  files: readonly UploadedFile[],
): Promise<{ directory: string }> {
  const { standing } = turn.state;
  if (files.length > uploadFilesMax) {
    throw new ServerError('UPLOAD_LIMIT', { reason: `more than ${uploadFilesMax} files` });
  }
  if (standing.size >= uploadsMax) {
    throw new ServerError('UPLOAD_LIMIT', { reason: `${uploadsMax} others are being looked at` });
  }
  for (const { path } of files) {
    const reason = pathProblem(path);
    if (reason !== undefined) throw new ServerError('UPLOAD_BAD_PATH', { path, reason });
  }
  const directory = `${root}/${Buffer.from(turn.ports.random.bytes(16)).toString('hex')}`;
  standing.add(directory);
  try {
    await write(turn, directory, files);
    return { directory };
  } catch (error) {
    await turn.ports.disk.remove(directory).catch(() => undefined);
    standing.delete(directory);
    const reason = error instanceof Error ? error.message : String(error);
    throw new ServerError('UPLOAD_DISK', { reason }, { cause: error });
  }
}

async function write(
  { ports: { disk } }: UploadTurn,
  directory: string,
  files: readonly UploadedFile[],
): Promise<void> {
  await disk.makeDirectory(directory, privateDirectory);
  const made = new Set<string>();
  const encoder = new TextEncoder();
  // In order: the disk's temporary name of `x` is `x.new`, which then is not there yet.
  for (const { path, text } of [...files].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const parent = path.slice(0, Math.max(0, path.lastIndexOf('/')));
    if (parent !== '' && !made.has(parent)) {
      await disk.makeDirectory(`${directory}/${parent}`, privateDirectory);
      made.add(parent);
    }
    await disk.writeDurable(`${directory}/${path}`, encoder.encode(text), privateFile);
  }
}

/** Why a path must not be written, or undefined. Nothing may leave the directory or hide in it. */
function pathProblem(path: string): string | undefined {
  if (path.length > uploadPathMax) return `it is longer than ${uploadPathMax} characters`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it finds
  if (/[\u0000-\u001f\u007f\\]/.test(path)) return 'it has a control character or a backslash';
  const parts = path.split('/');
  if (parts.some((part) => part === '')) return 'it is absolute or has an empty part';
  if (parts.some((part) => part.startsWith('.'))) return 'a part of it begins with a dot';
  if (parts.some((part) => Buffer.byteLength(part) > partBytesMax)) return 'a part is too long';
  const known = path.endsWith('.vgo') || (parts[0] === 'templates' && parts.length > 1);
  return known ? undefined : 'it is neither a .vgo file nor below templates/';
}
