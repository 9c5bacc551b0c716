import { ServerError } from '../errors.ts';

/** Reads permission bits; the disk port has no use for them elsewhere. */
export type ModeOf = (path: string) => Promise<number>;

const othersMayUse = 0o077;

/** Throws SECRETS_FILE_EXPOSED when anybody but the owner may do anything with the file. */
export async function refuseExposed(file: string, modeOf: ModeOf): Promise<void> {
  const mode = await modeOf(file);
  if ((mode & othersMayUse) === 0) return;
  const shown = (mode & 0o777).toString(8).padStart(4, '0');
  throw new ServerError('SECRETS_FILE_EXPOSED', { file, mode: shown });
}
