import type { AnyKind } from '../../runtime/host.ts';
import type { Ports } from '../../runtime/ports/ports.ts';
import type { Store } from '../../runtime/store.ts';
import type { ThreadSystem } from '../../runtime/system.ts';
import type { JoinedThread } from '../../runtime/thread.ts';
import type { Log } from './log.ts';
import type { ServerThreadData } from './thread-data.ts';

export interface ServiceParts {
  readonly data: ServerThreadData;
  readonly store: Store;
  readonly ports: Ports;
  readonly log: Log;
}

/** The kinds of the service host beside the sink, with what they need before and after. */
export interface ServiceKinds {
  readonly kinds: readonly AnyKind[];
  /** The system is wired: restore what must be there before agents come. */
  start(system: ThreadSystem): Promise<void>;
  joined(thread: JoinedThread): void;
  stop(): Promise<void>;
}

export function serviceKinds(_parts: ServiceParts): ServiceKinds {
  return {
    kinds: [],
    start: async () => undefined,
    joined: () => undefined,
    stop: async () => undefined,
  };
}
