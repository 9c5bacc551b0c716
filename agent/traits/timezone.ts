import type { TraitCollector } from './collector.ts';
import { known } from './machine-file.ts';
import { localZone, offsetMinutes, offsetText } from './time-zone.ts';

/** timezone.name, offset and offset_minutes; the offset is the one of now, summer time included. */
export const timezoneCollector: TraitCollector = {
  name: 'timezone',
  collect: async ({ platform }) => {
    const name = await localZone(platform);
    const minutes = offsetMinutes(name, platform.clock.nowMs());
    const offset = minutes === undefined ? undefined : offsetText(minutes);
    return known({ name, offset, offset_minutes: minutes });
  },
};
