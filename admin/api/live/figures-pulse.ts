import type { Clock } from '../../../runtime/ports/clock.ts';
import { AlarmWatch, type ServerReading, serverFigures } from './figures.ts';
import type { EventHub } from './hub.ts';

const pulseMs = 5_000;

/**
 * Tells viewers of the server's figures and alarms. The threads are asked once for all viewers, and
 * not at all while nobody watches. Ends with the thread.
 */
export function startFiguresPulse(
  hub: EventHub,
  clock: Clock,
  expectedShards: number,
  read: () => Promise<ServerReading>,
): void {
  const alarms = new AlarmWatch(expectedShards);
  let before: ServerReading | undefined;
  const beat = async (): Promise<void> => {
    if (hub.viewers === 0) {
      before = undefined;
      return;
    }
    const now = await read();
    const figures = before === undefined ? [] : [serverFigures(now, before, hub.viewers)];
    before = now;
    hub.tell([...figures, ...alarms.consider(now)]);
    hub.note('alarms', alarms.raised);
  };
  const again = (): void => {
    clock.after(
      pulseMs,
      () => {
        // A thread that does not answer is missing in the reading; nothing else can fail.
        beat().then(again, again);
      },
      { unref: true },
    );
  };
  again();
}
