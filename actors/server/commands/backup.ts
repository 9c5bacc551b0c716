import { codeOf } from '../../errors.ts';
import { restoreBackup } from '../backup/restore.ts';
import { type BackupSource, unpackBackup } from '../backup/unpack.ts';
import { makeDirectory } from '../home/files.ts';
import { homeLayout } from '../home/layout.ts';
import { lockHome } from '../home/lock.ts';

export interface BackupFlags {
  readonly passphraseFile?: string;
  readonly identity?: string;
  readonly key?: string;
  /** For programs, vigocli above all: also what went wrong. */
  readonly json?: boolean;
}

export interface RestoreFlags extends BackupFlags {
  readonly home: string;
  readonly force?: boolean;
}

/** Reads a backup whole and says what it holds. */
export async function verifyBackupFile(file: string, flags: BackupFlags): Promise<void> {
  await tell(flags, async () => {
    const { manifest, publicKey } = await unpackBackup(sourceOf(file, flags));
    const { content: _, database: __, ...summary } = manifest;
    const words = `The backup is whole: ${summary.files} files, signed by ${publicKey}.`;
    return [{ publicKey, summary }, words];
  });
}

/** Puts a backup in the place of a home that no server uses. */
export async function restoreBackupFile(file: string, flags: RestoreFlags): Promise<void> {
  await tell(flags, async () => {
    const layout = homeLayout(flags.home);
    await makeDirectory(layout.root);
    const lock = lockHome(layout, process.pid);
    try {
      const restored = await restoreBackup({
        ...sourceOf(file, flags),
        home: flags.home,
        force: flags.force === true,
        nowMs: Date.now(),
      });
      return [restored, `Restored into ${restored.home}. Start it: vigosrv start.`];
    } finally {
      lock.release();
    }
  });
}

function sourceOf(file: string, flags: BackupFlags): BackupSource {
  return {
    file,
    ...(flags.passphraseFile === undefined ? {} : { passphraseFile: flags.passphraseFile }),
    ...(flags.identity === undefined ? {} : { identityFile: flags.identity }),
    ...(flags.key === undefined ? {} : { key: flags.key }),
  };
}

async function tell(flags: BackupFlags, run: () => Promise<[object, string]>): Promise<void> {
  if (flags.json !== true) {
    const [, words] = await run();
    process.stdout.write(`${words}\n`);
    return;
  }
  try {
    const [value] = await run();
    process.stdout.write(`${JSON.stringify(value)}\n`);
  } catch (error) {
    const { remedy = '', exitCode = 1 } = error as { remedy?: string; exitCode?: number };
    const message = error instanceof Error ? error.message : String(error);
    process.stdout.write(`${JSON.stringify({ code: codeOf(error), message, remedy, exitCode })}\n`);
    process.exitCode = exitCode;
  }
}
