import type { Address } from '../../runtime/actor.ts';
import type { Examination } from './view.ts';

/** Looks for what is wrong with a running server. One actor; it changes nothing. */
export type DoctorMessages = {
  examine: { payload: { threads: ThreadFacts }; reply: Examination };
};

/** What only the threads themselves know, as the status tells it. */
export interface ThreadFacts {
  readonly stores: readonly {
    readonly thread: string;
    readonly usedBytes: number;
    readonly limitBytes: number;
  }[];
  /** Undefined: the sink's thread did not answer. */
  readonly sink: { readonly waitingEvents: number; readonly lagMs: number } | undefined;
  /** 99th percentile of the event loop's delay, milliseconds, by thread. */
  readonly delays: readonly { readonly thread: string; readonly p99Ms: number }[];
}

export function doctorAddress(): Address<DoctorMessages> {
  return { kind: 'doctor', key: 'main' };
}
