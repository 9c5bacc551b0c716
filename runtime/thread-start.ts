import { fileURLToPath } from 'node:url';
import { type MessagePort, type Transferable, Worker } from 'node:worker_threads';
import type { Piscina } from 'piscina';
import { RuntimeError, reasonOf } from './errors.ts';
import type { Clock } from './ports/clock.ts';
import type { ThreadAnswer, ThreadBootstrap, ThreadOrder } from './thread-port.ts';

/** How long a pool thread may take to end after its task has. */
const closeDeadlineMs = 1_000;

/** A thread that the main one started. */
export interface RunningThread {
  readonly ready: Promise<void>;
  /** The thread finished its orderly stop. */
  readonly stopped: Promise<void>;
  /** Resolves, never rejects, when the thread is gone; with the error that it died of. */
  readonly ended: Promise<unknown>;
  order(order: ThreadOrder, transfer: readonly MessagePort[]): void;
  kill(): Promise<void>;
}

export interface ThreadStart {
  readonly entry: URL;
  readonly bootstrap: ThreadBootstrap;
  readonly transfer: readonly MessagePort[];
  readonly control: MessagePort;
}

function watch(
  { control, bootstrap }: ThreadStart,
  ended: Promise<unknown>,
  kill: () => Promise<void>,
): RunningThread {
  const { thread } = bootstrap;
  let isOver = false;
  const ready = new Promise<void>((resolve, reject) => {
    const failed = (reason: string) =>
      reject(new RuntimeError('RUNTIME_START_FAILED', { thread, reason }));
    control.on('message', (message: ThreadAnswer) => {
      if (message.answer === 'ready') resolve();
      if (message.answer === 'failed') {
        failed(message.reason);
        kill();
      }
    });
    ended.then((error) => failed(error === undefined ? 'it ended' : reasonOf(error)));
  });
  const stopped = new Promise<void>((resolve) => {
    control.on('message', (message: ThreadAnswer) => {
      if (message.answer === 'stopped') resolve();
    });
    ended.then(() => resolve());
  });
  ended.then(() => {
    isOver = true;
    control.close();
  });
  ready.catch(() => undefined);
  return {
    ready,
    stopped,
    ended,
    order(order, transfer) {
      if (!isOver) control.postMessage(order, [...transfer]);
    },
    kill,
  };
}

/**
 * Of every thread. Room for new objects: three parts of 4 MB. What a message leaves behind is dead at once,
 * so that more room would only be more pages that were touched once, and come step by step over hours.
 */
export const threadHeapLimits = { maxYoungGenerationSizeMb: 12 };

/** A worker thread of its own: shards and edges. */
export function workerThread(start: ThreadStart): RunningThread {
  const worker = new Worker(start.entry, {
    name: start.bootstrap.thread,
    workerData: { bootstrap: start.bootstrap },
    resourceLimits: threadHeapLimits,
    transferList: [...start.transfer] as Transferable[],
  });
  const ended = new Promise<unknown>((resolve) => {
    let error: unknown;
    worker.on('error', (thrown) => {
      error = thrown;
    });
    worker.on('exit', () => resolve(error));
  });
  const kill = async (): Promise<void> => {
    await worker.terminate();
    await ended;
  };
  return watch(start, ended, kill);
}

/**
 * A long-running task in a thread of the pool: service hosts. The task may fail before its thread
 * is gone; the thread's end of the control port closes when it is, and only then may another
 * thread open its store.
 */
export function hostThread(pool: Piscina, start: ThreadStart, clock: Clock): RunningThread {
  const abort = new AbortController();
  const closed = new Promise<void>((resolve) => start.control.once('close', resolve));
  const task = pool
    .run(start.bootstrap, {
      filename: fileURLToPath(start.entry),
      name: 'host',
      transferList: [...start.transfer],
      signal: abort.signal,
    })
    .then(
      () => undefined,
      (error: unknown) => error,
    );
  const ended = task.then(async (error) => {
    const timeout = new Promise<void>((resolve) => clock.after(closeDeadlineMs, resolve));
    await Promise.race([closed, timeout]);
    return error;
  });
  const kill = async (): Promise<void> => {
    abort.abort();
    await ended;
  };
  return watch(start, ended, kill);
}
