import type { Platform } from '../platform/platform.ts';
import type { TraitCollector } from './collector.ts';
import { known, tryMachineLine } from './machine-file.ts';

export const dmiDirectory = '/sys/class/dmi/id';

const fields = {
  bios_vendor: 'bios_vendor',
  bios_version: 'bios_version',
  bios_date: 'bios_date',
  board_vendor: 'board_vendor',
  board_name: 'board_name',
  product_name: 'product_name',
  product_serial: 'product_serial',
  product_vendor: 'sys_vendor',
  chassis_type: 'chassis_type',
};

/** One field of the firmware's tables; undefined when it is empty, missing or not readable. */
export function readDmi(platform: Platform, name: string): Promise<string | undefined> {
  return tryMachineLine(platform, `${dmiDirectory}/${name}`);
}

/** dmi.*; fields that only root may read are left out for others. */
export const dmiCollector: TraitCollector = {
  name: 'dmi',
  collect: async ({ platform }) => {
    if ((await platform.files.status(dmiDirectory)) === undefined) return undefined;
    const values = Object.entries(fields).map(
      async ([field, file]) => [field, await readDmi(platform, file)] as const,
    );
    return known(Object.fromEntries(await Promise.all(values)));
  },
};
