import type { TraitCollector } from './collector.ts';
import { readMachineFile, readMachineLine } from './machine-file.ts';

/** uptime.seconds and boot_time by proc(5). */
export const uptimeCollector: TraitCollector = {
  name: 'uptime',
  collect: async ({ platform }) => {
    const seconds = Number((await readMachineLine(platform, '/proc/uptime'))?.split(' ')[0]);
    if (!Number.isFinite(seconds)) return undefined;
    const statistics = (await readMachineFile(platform, '/proc/stat')) ?? '';
    const booted = /^btime (\d+)$/m.exec(statistics)?.[1];
    const fallback = Math.round(platform.clock.nowMs() / 1000 - seconds);
    return {
      seconds: Math.floor(seconds),
      boot_time: booted === undefined ? fallback : Number(booted),
    };
  },
};
