import type { TraitCollector } from './collector.ts';
import { readMachineLine } from './machine-file.ts';

/** identity.machine_id, boot_id, envoy_uuid and agent_version; what is not known is left out. */
export const identityCollector: TraitCollector = {
  name: 'identity',
  collect: async ({ platform, facts }) => {
    const machine = await readMachineLine(platform, '/etc/machine-id');
    const boot = await readMachineLine(platform, '/proc/sys/kernel/random/boot_id');
    return {
      ...(machine === undefined ? {} : { machine_id: machine }),
      ...(boot === undefined ? {} : { boot_id: boot }),
      ...(facts.envoyUuid === undefined ? {} : { envoy_uuid: facts.envoyUuid }),
      ...(facts.agentVersion === undefined ? {} : { agent_version: facts.agentVersion }),
    };
  },
};
