import type { Platform } from '../platform/platform.ts';
import type { TraitCollector } from './collector.ts';
import { known } from './machine-file.ts';
import { localZone, offsetMinutes, offsetText } from './time-zone.ts';

const timesync = '/run/systemd/timesync';

/** time.now, epoch, timezone, utc_offset and ntp_synchronized. */
export function createTimeCollector(): TraitCollector {
  // Formatting a zone costs more than all else here; offsets change on quarters of an hour.
  let offset: { zone: string; quarter: number; text: string | undefined } | undefined;
  return {
    name: 'time',
    collect: async ({ platform }) => {
      const epoch = Math.floor(platform.clock.nowMs() / 1000);
      const zone = await localZone(platform);
      const quarter = Math.floor(epoch / 900);
      if (offset?.zone !== zone || offset.quarter !== quarter) {
        const minutes = offsetMinutes(zone, epoch * 1000);
        offset = { zone, quarter, text: minutes === undefined ? undefined : offsetText(minutes) };
      }
      return known({
        now: new Date(epoch * 1000).toISOString().replace('.000Z', 'Z'),
        epoch,
        timezone: zone,
        utc_offset: offset.text,
        ntp_synchronized: await synchronized(platform),
      });
    },
  };
}

/** systemd-timesyncd leaves a mark; other daemons keep it to themselves. */
async function synchronized({ files }: Platform): Promise<boolean | undefined> {
  if ((await files.status(timesync)) === undefined) return undefined;
  return (await files.status(`${timesync}/synchronized`)) !== undefined;
}
