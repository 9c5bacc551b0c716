import { AgentError } from '../../errors.ts';
import { readText } from '../../platform/text-file.ts';
import type { ImportContext, Importer } from '../contract.ts';

const directory = '/etc/sysctl.d';
const keyPattern = /^[A-Za-z0-9_][A-Za-z0-9_./-]*$/;

/** Kernel parameters with the values that they have now. */
export const sysctlImporter: Importer = {
  kind: 'sysctl',
  scope: 'keys that /etc/sysctl.conf and /etc/sysctl.d set',
  names: async (context) => [...(await settings(context)).keys()].sort(),
  async read(name, context) {
    const key = name.replaceAll('/', '.');
    const value = await runtimeValue(name, context);
    const file = (await settings(context)).get(key);
    const note =
      file === undefined
        ? 'no file of this machine sets it at boot'
        : `set at boot by ${file}; take persist away to let vigo do that`;
    return [{ type: 'sysctl', subject: key, parameters: { key, value, persist: false }, note }];
  },
};

async function runtimeValue(name: string, { platform }: ImportContext): Promise<string> {
  const refuse = (why: string): never => {
    throw new AgentError('AGENT_IMPORT_REFUSED', { what: `sysctl ${name}`, why });
  };
  if (!keyPattern.test(name) || name.includes('..')) refuse('it is no key');
  const path = `/proc/sys/${name.includes('/') ? name : name.replaceAll('.', '/')}`;
  const text = await readText(platform, path).catch(() => undefined);
  const value = text?.trim().replace(/\s+/g, ' ');
  return value === undefined || value === ''
    ? refuse('the kernel has no such readable key')
    : value;
}

/** Key to the file that sets it last (sysctl.d(5)); keys with globs are left out. */
async function settings({ platform }: ImportContext): Promise<ReadonlyMap<string, string>> {
  const real = await platform.paths.resolve(directory, { followLast: true });
  const names =
    (await platform.files.status(real))?.kind === 'directory'
      ? await platform.files.list(real)
      : [];
  const paths = names
    .filter((name) => name.endsWith('.conf'))
    .sort()
    .map((name) => `${directory}/${name}`);
  const found = new Map<string, string>();
  for (const path of [...paths, '/etc/sysctl.conf'])
    for (const line of ((await readText(platform, path)) ?? '').split('\n')) {
      const key = /^\s*-?([^#;=\s]+)\s*=/.exec(line)?.[1];
      if (key !== undefined && keyPattern.test(key)) found.set(key.replaceAll('/', '.'), path);
    }
  return found;
}
