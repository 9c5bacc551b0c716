import type { Platform } from '../platform/platform.ts';
import { linkTarget, readMachineLine } from './machine-file.ts';

const zoneDirectory = '/zoneinfo/';

/** The name of the local time zone: where /etc/localtime points, else /etc/timezone, else UTC. */
export async function localZone(platform: Platform): Promise<string> {
  // A copied file has no name, a missing one means UTC.
  const target = (await linkTarget(platform, '/etc/localtime')) ?? '';
  const at = target.lastIndexOf(zoneDirectory);
  if (at >= 0) return target.slice(at + zoneDirectory.length).replace(/^(posix|right)\//, '');
  return (await readMachineLine(platform, '/etc/timezone')) ?? 'UTC';
}

/** Minutes east of UTC at that time; undefined when no such zone is known. */
export function offsetMinutes(zone: string, nowMs: number): number | undefined {
  try {
    const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
    const name = format.formatToParts(nowMs).find(({ type }) => type === 'timeZoneName')?.value;
    const match = /^GMT(?:([+-])(\d\d):(\d\d))?/.exec(name ?? '');
    if (match === null) return undefined;
    const minutes = Number(match[2] ?? 0) * 60 + Number(match[3] ?? 0);
    return match[1] === '-' ? -minutes : minutes;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** 330 is +05:30. */
export function offsetText(minutes: number): string {
  const all = Math.abs(minutes);
  const digits = [Math.floor(all / 60), all % 60].map((part) => String(part).padStart(2, '0'));
  return `${minutes < 0 ? '-' : '+'}${digits.join(':')}`;
}
