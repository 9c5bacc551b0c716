import { request } from 'node:https';
import type { Connection } from './connection.ts';
import type { Output } from './session.ts';

/** Between two views, however much happens. */
const spacingMs = 500;
/** Looks in a row that reached no server before a watch in a pipe ends. */
const unreachableMax = 12;

export interface WatchOrder {
  /** The command line without --watch; run once a view. */
  readonly argv: readonly string[];
  readonly everyMs: number;
  readonly json: boolean;
  /** Runs a command line once, printing into `output`; returns its exit code. */
  run(argv: readonly string[], output: Output): Promise<number>;
  /** Undefined: it is not known yet where the server is. */
  connection(): Connection | undefined;
}

/** Thrown before the first run of a command that was given --watch. */
export class WatchRequest extends Error {
  readonly everyMs: number;

  constructor(everyMs: number) {
    super('watch');
    this.everyMs = everyMs;
  }
}

/**
 * Shows a view again whenever the server tells an event, and at least every `everyMs`. On a terminal each
 * view takes the place of the last one; in a pipe a view is printed when it differs, with --json on one line.
 * Ends with 0 on Ctrl-C, with the command's code when it fails at first, and with 5 in a pipe when the
 * server stays away.
 */
export async function watch(order: WatchOrder): Promise<number> {
  const screen = process.stdout.isTTY === true;
  const wake = new Wake();
  const stop = () => wake.end();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  process.stdout.on('resize', () => wake.ring());
  let shown = '';
  let unreached = 0;
  let listening: (() => void) | undefined;
  try {
    while (!wake.isOver) {
      let text = '';
      const output = {
        indent: order.json && !screen ? 0 : 2,
        write: (more: string) => (text += more),
      };
      const code = await order.run(order.argv, output);
      if (code !== 0 && code !== 2 && shown === '') return code;
      unreached = code === 5 ? unreached + 1 : 0;
      if (unreached >= unreachableMax && !screen) return code;
      if (text !== '' && (screen || text !== shown)) show(text, screen);
      shown = text || shown;
      listening ??= listen(order.connection(), wake, () => {
        listening = undefined;
      });
      await wake.wait(order.everyMs);
    }
    return 0;
  } finally {
    listening?.();
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}

/** The lines that the terminal has room for; it must not scroll. */
function show(text: string, screen: boolean): void {
  if (!screen) {
    process.stdout.write(text);
    return;
  }
  const room = Math.max(1, (process.stdout.rows || 24) - 1);
  const lines = text.trimEnd().split('\n').slice(0, room);
  process.stdout.write(`\u001b[H\u001b[2J${lines.join('\n')}\n`);
}

/** Lets the loop sleep until something happens. */
class Wake {
  isOver = false;
  #ring: (() => void) | undefined;
  #rung = false;

  ring(): void {
    this.#rung = true;
    this.#ring?.();
  }

  end(): void {
    this.isOver = true;
    this.#ring?.();
  }

  /** Until `everyMs` passed, or after the spacing when something happened. */
  async wait(everyMs: number): Promise<void> {
    await this.#sleep(Math.min(spacingMs, everyMs));
    if (!this.#rung && !this.isOver) await this.#sleep(Math.max(0, everyMs - spacingMs));
    this.#rung = false;
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#ring = undefined;
        resolve();
      };
      const timer = setTimeout(done, ms);
      const isSpacing = ms <= spacingMs;
      this.#ring = () => {
        if (this.isOver || !isSpacing) done();
      };
    });
  }
}

/** Listens to the live events as long as the server tells them; without, the interval has to do. */
function listen(
  connection: Connection | undefined,
  wake: Wake,
  ended: () => void,
): (() => void) | undefined {
  if (connection === undefined) return undefined;
  const { host, port, caPem: ca, token } = connection;
  const headers = {
    accept: 'text/event-stream',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  const options = { host, port, ca, headers, path: '/api/v1/events', agent: false } as const;
  const call = request({ ...options, minVersion: 'TLSv1.3' }, (answer) => {
    if (answer.statusCode !== 200) answer.resume();
    else answer.on('data', (chunk: Buffer) => chunk.includes('data:') && wake.ring());
  });
  call.on('error', () => undefined).on('close', ended);
  call.end();
  return () => call.destroy();
}
