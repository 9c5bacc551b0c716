import {
  parseCount,
  parseDuration,
  parseFleetOptions,
  parseShare,
  type RawFleetOptions,
  usage,
} from '../fleet/options.ts';
import type { ModeOptions } from './mode-report.ts';

/** Streams that a server carries. */
const viewersMax = 1500;

/** The words of the command line, as commander names them. */
export interface RawModeOptions extends RawFleetOptions {
  readonly how?: string;
  readonly burst?: string;
  readonly viewers?: string;
  readonly turnEvery?: string;
  readonly signAhead?: boolean;
  readonly html?: string;
  readonly markdown?: string;
}

/** Throws BENCH_USAGE. */
export function parseModeOptions(raw: RawModeOptions): ModeOptions {
  const { how = 'stop' } = raw;
  if (how !== 'stop' && how !== 'kill') throw usage(`--how is stop or kill, not "${how}"`);
  return {
    ...parseFleetOptions(raw),
    how,
    burst: parseShare(raw.burst ?? '50%', '--burst'),
    viewers: parseCount(raw.viewers ?? '20', '--viewers', viewersMax),
    turnEveryMs: parseDuration(raw.turnEvery ?? '0s', '--turn-every'),
    signAhead: raw.signAhead === true,
  };
}
