import { AgentError } from '../../errors.ts';
import { detectPackageManager } from '../../platform/packages/detect.ts';
import type { PackageManager } from '../../platform/packages/package-manager.ts';
import type { ImportContext, Importer } from '../contract.ts';

/** Packages by name, without a version: an import is to survive the next update. */
export const packageImporter: Importer = {
  kind: 'package',
  scope: 'packages that were asked for, not those that came as dependencies',
  names: async (context) => [...(await (await managerOf(context)).manual())].sort(),
  async read(name, context) {
    const record = (await (await managerOf(context)).installed()).get(name);
    if (record?.status !== 'installed')
      throw new AgentError('AGENT_IMPORT_REFUSED', {
        what: `package ${name}`,
        why: 'it is not installed',
      });
    const held = record.held ? { note: `held at ${record.version} on this machine` } : {};
    return [{ type: 'package', subject: name, parameters: { package: name }, ...held }];
  },
};

async function managerOf({ platform }: ImportContext): Promise<PackageManager> {
  const manager = await detectPackageManager(platform);
  if (manager === undefined) throw new AgentError('AGENT_PACKAGE_MANAGER_MISSING');
  return manager;
}
