import { codeOf, ServerError } from './errors.ts';

/** Errors of the disk port are the operating system's; they get a code of ours. */
export async function codedDisk<T>(
  code: 'PUBLISH_DISK' | 'SECRETS_DISK',
  run: () => Promise<T>,
): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof Error) || 'remedy' in error) throw error;
    if (!/^E[A-Z]+/.test(codeOf(error) || error.message)) throw error;
    throw new ServerError(code, { reason: error.message }, { cause: error });
  }
}
