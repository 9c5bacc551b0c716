import { ServerError } from '../../errors.ts';
import { readOptional } from '../home/files.ts';
import { homeLayout } from '../home/layout.ts';

/** Prints the code that makes the first administrator. Throws HOME_MISSING, ACCOUNT_SETUP_DONE. */
export async function printSetupCode({ home }: { home: string }): Promise<void> {
  const layout = homeLayout(home);
  if ((await readOptional(layout.marker)) === undefined) {
    throw new ServerError('HOME_MISSING', { home: layout.root });
  }
  const code = (await readOptional(layout.setupCode))?.trim();
  if (code === undefined || code === '') throw new ServerError('ACCOUNT_SETUP_DONE');
  console.log(code);
}
