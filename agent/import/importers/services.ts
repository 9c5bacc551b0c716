import { AgentError } from '../../errors.ts';
import {
  detectServiceManager,
  type ServiceManager,
} from '../../platform/services/service-manager.ts';
import type { ImportContext, Importer } from '../contract.ts';
import { given } from '../parameters.ts';

export const serviceImporter: Importer = {
  kind: 'service',
  scope: 'services that start at boot',
  names: async (context) => [...(await (await managerOf(context)).enabled(context.signal))].sort(),
  async read(name, context) {
    const status = await (await managerOf(context)).status(name, context.signal);
    if (!status.exists)
      throw new AgentError('AGENT_IMPORT_REFUSED', {
        what: `service ${name}`,
        why: 'no such service',
      });
    const state = status.activity === 'stopped' ? 'stopped' : 'running';
    const enabled = status.boot === 'fixed' ? undefined : status.boot === 'enabled';
    return [
      {
        type: 'service',
        subject: name,
        parameters: given({ service: name, state, enabled }),
        ...(status.failed ? { note: 'it has failed on this machine' } : {}),
      },
    ];
  },
};

async function managerOf({ platform }: ImportContext): Promise<ServiceManager> {
  const manager = await detectServiceManager(platform);
  if (manager === undefined) throw new AgentError('AGENT_SERVICE_MANAGER_MISSING');
  return manager;
}
