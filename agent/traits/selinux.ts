import type { TraitCollector } from './collector.ts';
import { known, readMachineFile, tryMachineLine } from './machine-file.ts';
import { parseAssignments } from './os.ts';

/** selinux.enabled, mode, config_mode and policy. */
export const selinuxCollector: TraitCollector = {
  name: 'selinux',
  collect: async ({ platform }) => {
    const enforce = await tryMachineLine(platform, '/sys/fs/selinux/enforce');
    const modes: Readonly<Record<string, string>> = { '0': 'permissive', '1': 'enforcing' };
    const config = parseAssignments((await readMachineFile(platform, '/etc/selinux/config')) ?? '');
    return known({
      enabled: enforce !== undefined,
      mode: enforce === undefined ? 'disabled' : (modes[enforce] ?? 'permissive'),
      config_mode: config.get('SELINUX')?.toLowerCase(),
      policy: config.get('SELINUXTYPE'),
    });
  },
};
