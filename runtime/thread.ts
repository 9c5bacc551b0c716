import { workerData } from 'node:worker_threads';
import { reasonOf } from './errors.ts';
import { nodePorts } from './ports/node-ports.ts';
import type { Ports } from './ports/ports.ts';
import type { Store } from './store.ts';
import { type SystemOptions, ThreadSystem } from './system.ts';
import {
  portLink,
  type ThreadAnswer,
  type ThreadBootstrap,
  type ThreadOrder,
} from './thread-port.ts';
import { mainThread } from './topology.ts';

export type { ThreadBootstrap } from './thread-port.ts';

/** How a thread entry joins the system. The system closes the store when the thread stops. */
export interface JoinOptions
  extends Omit<SystemOptions, 'thread' | 'topology' | 'ports' | 'store'> {
  /** When it fails for good the thread ends, and is replaced with a store that was checked. */
  readonly store?: Store & { onFailure?(run: (failure: Error) => void): void };
  readonly ports?: Ports;
  /** Everything is wired; open listeners here. The thread counts as started when it resolves. */
  readonly onStart?: (system: ThreadSystem) => void | Promise<void>;
  /** Close listeners here: afterwards no new message is taken, and turns under way are finished. */
  readonly onStop?: (system: ThreadSystem) => void | Promise<void>;
}

export interface JoinedThread {
  readonly system: ThreadSystem;
  /** Resolves when the thread was stopped in order. A service host's entry returns this. */
  readonly stopped: Promise<void>;
  /** Runs the exported function `name` of the module in a free pool thread. */
  runJob(module: URL, name: string, payload: unknown, deadlineMs: number): Promise<unknown>;
}

/** The bootstrap of a thread that is a worker of its own (shards and edges, not service hosts). */
export function threadBootstrap(): ThreadBootstrap {
  return (workerData as { bootstrap: ThreadBootstrap }).bootstrap;
}

/**
 * Called once by every thread entry. Shards and edges use `threadBootstrap()`; a service host's
 * exported function `host` gets its bootstrap as argument.
 */
export async function joinSystem(
  options: JoinOptions,
  bootstrap: ThreadBootstrap = threadBootstrap(),
): Promise<JoinedThread> {
  const { control, links, thread, topology } = bootstrap;
  const ports = options.ports ?? nodePorts();
  const system = new ThreadSystem({ ...options, ports, thread, topology });
  options.store?.onFailure?.((failure) => {
    ports.clock.soon(() => {
      throw failure;
    });
  });
  const answer = (message: ThreadAnswer): void => control.postMessage(message);
  for (const { peer, port } of links) system.attach(peer, portLink(port));
  const stopped = new Promise<void>((resolve, reject) => {
    control.on('message', (order: ThreadOrder) => {
      if (order.order === 'attach') system.attach(order.peer, portLink(order.port));
      if (order.order === 'detach') system.detach(order.peer);
      if (order.order === 'stop') stop(system, options).then(resolve, reject);
    });
  });
  try {
    system.start();
    await options.onStart?.(system);
  } catch (error) {
    const stack = error instanceof Error ? error.stack : undefined;
    answer({ answer: 'failed', reason: reasonOf(error), stack });
    throw error;
  }
  answer({ answer: 'ready' });
  return {
    system,
    stopped: stopped.then(() => {
      answer({ answer: 'stopped' });
      control.close();
    }),
    runJob: (module, name, payload, deadlineMs) =>
      system.request(mainThread, 'job', { module: module.href, name, payload }, deadlineMs),
  };
}

async function stop(system: ThreadSystem, options: JoinOptions): Promise<void> {
  await options.onStop?.(system);
  await system.stop();
  await options.store?.close();
}
