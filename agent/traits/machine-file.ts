import type { Platform } from '../platform/platform.ts';

const linkLimit = 8;
const readLimit = 64 * 1024 * 1024;

/**
 * The text of a file of the machine itself; undefined when it is not there. Traits describe the
 * machine also when the agent is confined to a root, so the path is a real one. Links are followed.
 */
export async function readMachineFile(
  { files }: Platform,
  path: string,
): Promise<string | undefined> {
  let real = path;
  for (let links = 0; links < linkLimit; links += 1) {
    const status = await files.status(real);
    if (status?.kind === 'file') return new TextDecoder().decode(await files.read(real, readLimit));
    if (status?.kind !== 'symlink') return undefined;
    real = follow(real, await files.readLink(real));
  }
  return undefined;
}

function follow(path: string, target: string): string {
  if (target.startsWith('/')) return target;
  const parts = path.split('/').slice(0, -1);
  for (const part of target.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}

/** The first line of a small file, trimmed; undefined when it is missing or empty. */
export async function readMachineLine(
  platform: Platform,
  path: string,
): Promise<string | undefined> {
  const line = (await readMachineFile(platform, path))?.split('\n', 1)[0]?.trim();
  return line === '' ? undefined : line;
}
