import type { Platform } from '../platform/platform.ts';
import type { TraitCollector } from './collector.ts';
import { known, readMachineFile, tryMachineLine } from './machine-file.ts';
import { sortedTexts } from './values.ts';

const processorLimit = 4096;
const maximumClock = '/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq';

type Section = ReadonlyMap<string, string>;

/** processors.count, cores, threads, model, vendor, mhz and flags by proc_cpuinfo(5). */
export function createProcessorsCollector(): TraitCollector {
  // The clock of now moves all the time.
  let firstMhz: number | undefined;
  return {
    name: 'processors',
    collect: async ({ platform }) => {
      const text = await readMachineFile(platform, '/proc/cpuinfo');
      if (text === undefined) return undefined;
      const sections = parseCpuinfo(text);
      const first: Section = sections[0] ?? new Map();
      const all = sections.length;
      const cores = new Set(sections.map((one, at) => coreOf(one) ?? `of ${at}`));
      const sockets = new Set(sections.map((one) => one.get('physical id') ?? ''));
      firstMhz ??= clockOf(first);
      return known({
        count: Math.max(1, sockets.size),
        cores: Math.max(1, cores.size),
        threads: Math.max(1, all),
        model: first.get('model name') ?? first.get('Model') ?? first.get('cpu'),
        vendor: first.get('vendor_id') ?? first.get('CPU implementer'),
        mhz: (await maximumMhz(platform)) ?? firstMhz,
        flags: sortedTexts(words(first.get('flags') ?? first.get('Features') ?? '')),
      });
    },
  };
}

function coreOf(section: Section): string | undefined {
  const core = section.get('core id');
  return core === undefined ? undefined : `${section.get('physical id') ?? ''} ${core}`;
}

function clockOf(section: Section): number | undefined {
  const mhz = Math.round(Number(section.get('cpu MHz')));
  return Number.isFinite(mhz) ? mhz : undefined;
}

async function maximumMhz(platform: Platform): Promise<number | undefined> {
  const kilohertz = Number(await tryMachineLine(platform, maximumClock));
  return Number.isFinite(kilohertz) ? Math.round(kilohertz / 1000) : undefined;
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

/** One map per logical processor. */
export function parseCpuinfo(text: string): readonly Section[] {
  const sections: Map<string, string>[] = [];
  for (const line of text.split('\n')) {
    const at = line.indexOf(':');
    if (at < 0) continue;
    const name = line.slice(0, at).trim();
    if (name === 'processor') sections.push(new Map());
    if (sections.length > processorLimit) return sections.slice(0, processorLimit);
    sections.at(-1)?.set(name, line.slice(at + 1).trim());
  }
  return sections;
}
