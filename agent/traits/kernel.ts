import type { TraitCollector } from './collector.ts';
import { known, readMachineFile, readMachineLine } from './machine-file.ts';
import { sortedTexts } from './values.ts';

const moduleLimit = 2_000;

/** kernel.release, version, command_line, modules and tainted. */
export const kernelCollector: TraitCollector = {
  name: 'kernel',
  collect: async ({ platform }) => {
    const release = await readMachineLine(platform, '/proc/sys/kernel/osrelease');
    if (release === undefined) return undefined;
    const tainted = Number(await readMachineLine(platform, '/proc/sys/kernel/tainted'));
    const modules = ((await readMachineFile(platform, '/proc/modules')) ?? '').split('\n');
    const names = modules.map((line) => line.split(' ', 1)[0]!).filter((name) => name !== '');
    return known({
      release,
      version: await readMachineLine(platform, '/proc/sys/kernel/version'),
      command_line: await readMachineLine(platform, '/proc/cmdline'),
      modules: sortedTexts(names).slice(0, moduleLimit),
      tainted: Number.isFinite(tainted) ? tainted : undefined,
    });
  },
};
