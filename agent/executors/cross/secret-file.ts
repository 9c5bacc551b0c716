import { AgentError } from '../../errors.ts';
import type { Platform } from '../../platform/platform.ts';
import { toHex } from '../../protocol/bytes.ts';
import type { ResourceContext } from '../contract.ts';
import { findUser } from './ownership.ts';

/** Directories in memory, the better one first: a secret must not reach a disk. */
const memoryDirectories = ['/dev/shm', '/run'];
const nameLength = 16;
const placeholder = '{{secret_file}}';

/**
 * Runs a command that finds a value in a file of its own: mode 0600, of the user who runs it, in memory,
 * gone when the command has ended. The path stands in the command in place of {{secret_file}}.
 */
export async function withSecretFile<T>(
  spec: {
    readonly command: string;
    readonly secretFile: string | undefined;
    readonly user: string | undefined;
  },
  { platform }: ResourceContext,
  run: (command: string) => Promise<T>,
): Promise<T> {
  if (spec.secretFile === undefined) return await run(spec.command);
  const owner = spec.user === undefined ? {} : await ownerOf(spec.user, platform);
  const name = toHex(platform.host.randomBytes(nameLength));
  const path = `${await memoryDirectory(platform)}/vigo-${name}`;
  try {
    const content = new TextEncoder().encode(spec.secretFile);
    await platform.files.writeAtomic(path, content, { mode: 0o600, ...owner });
    return await run(spec.command.replaceAll(placeholder, () => path));
  } finally {
    await platform.files.removeFile(path);
  }
}

async function ownerOf(user: string, platform: Platform): Promise<{ uid: number; gid: number }> {
  const { uid, gid } = await findUser(user, platform);
  return { uid, gid };
}

async function memoryDirectory({ files, paths }: Platform): Promise<string> {
  for (const declared of memoryDirectories) {
    const path = await paths.resolve(declared, { followLast: true });
    if ((await files.status(path))?.kind === 'directory') return path;
  }
  const detail = 'no directory in memory for secret_file';
  throw new AgentError('AGENT_SECRETS_UNAVAILABLE', { detail });
}
