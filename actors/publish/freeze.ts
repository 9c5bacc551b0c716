import type { PublishState } from './state.ts';
import type { FreezeView } from './version.ts';

/** A time of each week in which nothing is published. */
export interface FreezeWindow {
  /** As in server.yaml. */
  readonly text: string;
  /** Minutes since Monday 00:00 in the time zone; `end` below `start` runs over the week's end. */
  readonly start: number;
  readonly end: number;
  readonly zone: string;
}

const days: readonly string[] = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const minutesPerDay = 1440;
const minutesPerWeek = 7 * minutesPerDay;
const minuteMs = 60_000;
const form = /^([A-Z][a-z]{2}) (\d{2}):(\d{2})-([A-Z][a-z]{2}) (\d{2}):(\d{2})(?: (\S{1,64}))?$/;

export const freezeWindowExample = '"Fri 16:00-Mon 08:00 Europe/Berlin"';

/** Undefined when the text is not a window such as "Fri 16:00-Mon 08:00 Europe/Berlin" (UTC when left out). */
export function parseFreezeWindow(text: string): FreezeWindow | undefined {
  const parts = form.exec(text);
  if (parts === null) return undefined;
  const [, fromDay, fromHour, fromMinute, toDay, toHour, toMinute, zone = 'UTC'] = parts;
  const start = minuteOfWeek(fromDay, fromHour, fromMinute);
  const end = minuteOfWeek(toDay, toHour, toMinute);
  if (start === undefined || end === undefined || start === end || !isZone(zone)) return undefined;
  return { text, start, end, zone };
}

/** The freeze in force at `nowMs`: the one that was ordered, else a window of server.yaml. */
export function freezeAt(
  state: Pick<PublishState, 'freeze' | 'windowLiftedUntilMs'>,
  windows: readonly FreezeWindow[],
  nowMs: number,
): FreezeView | undefined {
  const { freeze, windowLiftedUntilMs } = state;
  if (freeze !== undefined && nowMs < (freeze.untilMs ?? Number.POSITIVE_INFINITY)) return freeze;
  if (nowMs < (windowLiftedUntilMs ?? 0)) return undefined;
  for (const window of windows) {
    const minute = localMinuteOfWeek(nowMs, window.zone);
    const into = modulo(minute - window.start, minutesPerWeek);
    const length = modulo(window.end - window.start, minutesPerWeek);
    if (into >= length) continue;
    // To the minute; a change of daylight saving time meanwhile moves the end by an hour.
    const minuteStartMs = nowMs - (nowMs % minuteMs);
    return {
      reason: `freeze window ${window.text}`,
      by: 'server.yaml',
      sinceMs: minuteStartMs - into * minuteMs,
      untilMs: minuteStartMs + (length - into) * minuteMs,
    };
  }
  return undefined;
}

function minuteOfWeek(day = '', hour = '', minute = ''): number | undefined {
  const index = days.indexOf(day);
  const time = Number(hour) * 60 + Number(minute);
  if (index < 0 || time > minutesPerDay || Number(minute) > 59) return undefined;
  return (index * minutesPerDay + time) % minutesPerWeek;
}

function localMinuteOfWeek(nowMs: number, timeZone: string): number {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  const parts = new Map(format.formatToParts(nowMs).map(({ type, value }) => [type, value]));
  return minuteOfWeek(parts.get('weekday'), parts.get('hour'), parts.get('minute')) ?? 0;
}

function isZone(timeZone: string): boolean {
  try {
    new Intl.DateTimeFormat('en-GB', { timeZone });
    return true;
  } catch {
    return false;
  }
}

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}
