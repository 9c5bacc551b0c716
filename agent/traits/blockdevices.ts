import type { Platform } from '../platform/platform.ts';
import type { PolicyValue } from '../protocol/bundle.ts';
import type { TraitCollector } from './collector.ts';
import { known, listMachineDirectory, tryMachineLine } from './machine-file.ts';

const deviceLimit = 512;
const sectorBytes = 512;
const skipped = /^(loop|ram|zram|dm-|md_d|nbd)/;

/** blockdevices by name, from sysfs only. */
export const blockdevicesCollector: TraitCollector = {
  name: 'blockdevices',
  collect: async ({ platform }) => {
    const names = await listMachineDirectory(platform, '/sys/block');
    const devices: Record<string, PolicyValue> = {};
    for (const name of names.filter((one) => !skipped.test(one)).slice(0, deviceLimit)) {
      devices[name] = await device(platform, `/sys/block/${name}`);
    }
    return devices;
  },
};

async function device(platform: Platform, path: string): Promise<PolicyValue> {
  const sectors = Number((await tryMachineLine(platform, `${path}/size`)) ?? 0);
  const serial = await tryMachineLine(platform, `${path}/device/serial`);
  const firmware = await tryMachineLine(platform, `${path}/device/firmware_rev`);
  return known({
    size_bytes: Number.isFinite(sectors) ? sectors * sectorBytes : 0,
    vendor: await tryMachineLine(platform, `${path}/device/vendor`),
    model: await tryMachineLine(platform, `${path}/device/model`),
    // virtio has it beside the device.
    serial: serial ?? (await tryMachineLine(platform, `${path}/serial`)),
    firmware_rev: firmware ?? (await tryMachineLine(platform, `${path}/device/rev`)),
    readonly: (await tryMachineLine(platform, `${path}/ro`)) === '1',
  });
}
