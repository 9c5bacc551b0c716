import { AgentError } from '../../errors.ts';
import type { UserRecord } from '../../platform/accounts/account-files.ts';
import { causeOf, runTool } from '../../platform/command.ts';
import type { FileStatus, Platform } from '../../platform/platform.ts';
import type { ResourceContext } from '../contract.ts';

export interface KeysState {
  readonly directory: FileStatus | undefined;
  readonly file: FileStatus | undefined;
  /** Lines that are neither blank nor comments. */
  readonly lines: readonly string[];
}

const readLimit = 1024 * 1024;
const writeTimeoutMs = 20_000;

/**
 * Writes with the rights of the directory's owner, so that a link which a user puts in the way leads
 * nowhere that the user could not write anyway. Values come as arguments and input, never as text of
 * the script.
 */
const script = `set -eu
umask "$2"
cd -- "$1"
[ -d .ssh ] && [ ! -L .ssh ] || mkdir .ssh
chmod go-w .ssh
cd .ssh
if [ -d authorized_keys ] && [ ! -L authorized_keys ]; then rmdir authorized_keys; fi
trap 'rm -f -- .authorized_keys.vigo' EXIT
rm -f -- .authorized_keys.vigo
set -C
cat > .authorized_keys.vigo
mv -fT -- .authorized_keys.vigo authorized_keys`;

export async function observeKeys(platform: Platform, home: string): Promise<KeysState> {
  const { files, paths } = platform;
  const directoryPath = `${await paths.resolve(home, { followLast: true })}/.ssh`;
  const directory = await files.status(directoryPath);
  if (directory?.kind !== 'directory') return { directory, file: undefined, lines: [] };
  const path = `${directoryPath}/authorized_keys`;
  const file = await files.status(path);
  if (file?.kind !== 'file' || file.size > readLimit) return { directory, file, lines: [] };
  const text = new TextDecoder().decode(await files.read(path, readLimit));
  const lines = text.split('\n').map((line) => line.trim());
  return { directory, file, lines: lines.filter((line) => line !== '' && !line.startsWith('#')) };
}

/** One line for each difference; foreign keys are counted, not quoted. */
export function compareKeys(
  wanted: readonly string[],
  state: KeysState | undefined,
  uid: number,
): string[] {
  const lines = state?.lines ?? [];
  const changes = wanted
    .filter((key) => !lines.includes(key))
    .map((key) => `authorized_keys: + ${keyName(key)}`);
  const foreign = lines.filter((line) => !wanted.includes(line)).length;
  if (foreign > 0) changes.push(`authorized_keys: - ${foreign} that are not declared`);
  const { directory, file } = state ?? {};
  if (changes.length > 0 || (wanted.length === 0 && file === undefined)) return changes;
  if (file?.kind !== 'file') return ['authorized_keys: is no regular file'];
  if ((file.mode & 0o022) !== 0 || (directory!.mode & 0o022) !== 0)
    return ['authorized_keys: can be written by others'];
  if (file.uid !== uid && file.uid !== 0) return ['authorized_keys: belongs to another user'];
  return [];
}

/** Type and comment of a key, without the key itself. */
function keyName(key: string): string {
  const words = key.split(/\s+/);
  const type = words.find((word) => /^(ssh|ecdsa|sk)-/.test(word)) ?? 'key';
  return words.length > 2 ? `${type} ${words.at(-1)}` : type;
}

/** Nothing is written when the file is right already. */
export async function writeKeys(
  { platform, signal }: ResourceContext,
  user: UserRecord,
  wanted: readonly string[],
): Promise<void> {
  const state = await observeKeys(platform, user.home);
  if (compareKeys(wanted, state, user.uid).length === 0) return;
  const home = await platform.paths.resolve(user.home, { followLast: true });
  const owner = await platform.files.status(home);
  if (owner?.kind !== 'directory')
    throw new AgentError('AGENT_PATH_MISSING', `${user.home}, the home of ${user.name}`);
  const own = owner.uid === user.uid;
  const argv = [
    '/usr/bin/setpriv',
    `--reuid=${owner.uid}`,
    `--regid=${own ? user.gid : owner.gid}`,
    '--clear-groups',
    '--',
    '/bin/sh',
    '-c',
    script,
    'sh',
    home,
    // sshd reads the file as the user, so one that belongs to another must be readable.
    own ? '077' : '022',
  ] as const;
  const stdin = wanted.map((key) => `${key}\n`).join('');
  const result = await runTool(platform, argv, { stdin, signal, timeoutMs: writeTimeoutMs });
  if (result.exitCode !== 0)
    throw new AgentError(
      'AGENT_ACCOUNT_FAILED',
      `authorized_keys of ${user.name}: ${causeOf(result)}`,
    );
}
