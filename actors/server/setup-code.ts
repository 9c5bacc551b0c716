import { unlink } from 'node:fs/promises';
import type { ThreadSystem } from '../../runtime/system.ts';
import type { SetupCodeFile } from '../accounts/context.ts';
import { accountsAddress } from '../accounts/messages.ts';
import { ServerError } from '../errors.ts';
import { errorCode, privateFileMode, readOptional, replaceFile } from './home/files.ts';
import type { Log } from './log.ts';

const prepareDeadlineMs = 20_000;

/** The code for the first administrator, readable for the server's own account only. */
export function setupCodeFile(path: string): SetupCodeFile {
  return {
    read: async () => (await readOptional(path))?.trim() || undefined,
    write: async (code) => await replaceFile(path, `${code}\n`, privateFileMode),
    remove: async () => {
      try {
        await unlink(path);
      } catch (error) {
        if (errorCode(error) === 'ENOENT') return;
        const reason = error instanceof Error ? error.message : String(error);
        throw new ServerError('HOME_UNWRITABLE', { path, reason }, { cause: error });
      }
    },
  };
}

/** Shows the setup code on the console as long as there is no account. */
export async function announceSetup(system: ThreadSystem, log: Log): Promise<void> {
  try {
    const options = { deadlineMs: prepareDeadlineMs };
    const { code } = await system.ask(accountsAddress(), 'prepareSetup', {}, options);
    if (code !== undefined) {
      log.info(`nobody has an account yet; the setup code of the first administrator: ${code}`);
    }
  } catch (error) {
    log.error({ err: error }, 'the setup code could not be made');
  }
}
