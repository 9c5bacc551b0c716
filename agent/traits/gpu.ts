import type { Platform } from '../platform/platform.ts';
import type { PolicyValue } from '../protocol/bundle.ts';
import type { TraitCollector } from './collector.ts';
import {
  known,
  linkTarget,
  listMachineDirectory,
  readMachineFile,
  tryMachineLine,
} from './machine-file.ts';

const pciDirectory = '/sys/bus/pci/devices';
const namesPaths = ['/usr/share/misc/pci.ids', '/usr/share/hwdata/pci.ids'];
const deviceLimit = 64;
/** PCI class "display controller". */
const displayClass = '0x03';

/** gpu.devices. Names come from the machine's list of PCI ids, read once per pair of ids. */
export function createGpuCollector(): TraitCollector {
  const names = new Map<string, { vendor: string; model: string }>();
  const nameOf = async (platform: Platform, vendor: string, model: string) => {
    const key = `${vendor}:${model}`;
    const name = names.get(key) ?? (await lookUp(platform, vendor, model));
    if (names.size < deviceLimit) names.set(key, name);
    return name;
  };
  return {
    name: 'gpu',
    collect: async ({ platform }) => {
      const devices: PolicyValue[] = [];
      for (const address of await listMachineDirectory(platform, pciDirectory)) {
        const path = `${pciDirectory}/${address}`;
        const kind = await tryMachineLine(platform, `${path}/class`);
        if (kind?.startsWith(displayClass) !== true || devices.length >= deviceLimit) continue;
        const vendor = (await tryMachineLine(platform, `${path}/vendor`)) ?? '0x0';
        const model = (await tryMachineLine(platform, `${path}/device`)) ?? '0x0';
        const memory = Number(await tryMachineLine(platform, `${path}/mem_info_vram_total`));
        devices.push(
          known({
            address,
            ...(await nameOf(platform, vendor.slice(2), model.slice(2))),
            driver: (await linkTarget(platform, `${path}/driver`))?.split('/').at(-1),
            memory_bytes: Number.isFinite(memory) ? memory : undefined,
          }),
        );
      }
      return devices.length === 0 ? undefined : { devices };
    },
  };
}

async function lookUp(platform: Platform, vendor: string, model: string) {
  for (const path of namesPaths) {
    const text = await readMachineFile(platform, path);
    if (text !== undefined) return pciNames(text, vendor, model);
  }
  return { vendor, model };
}

/** pci.ids: a vendor at the start of a line, its devices after one tab; the ids where unknown. */
export function pciNames(text: string, vendor: string, model: string) {
  const start = text.startsWith(`${vendor}  `) ? 0 : text.indexOf(`\n${vendor}  `) + 1;
  if (start === 0 && !text.startsWith(`${vendor}  `)) return { vendor, model };
  const [first = '', ...lines] = text.slice(start).split('\n', 20_000);
  const end = lines.findIndex((line) => line !== '' && !/^[\t#]/.test(line));
  const own = end < 0 ? lines : lines.slice(0, end);
  const device = own.find((line) => line.startsWith(`\t${model}  `));
  return {
    vendor: first.slice(vendor.length).trim(),
    model: device?.slice(model.length + 1).trim() ?? model,
  };
}
