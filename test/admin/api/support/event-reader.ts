import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { OpenApi } from './open-api.ts';

const patienceMs = 60_000;

export interface SeenEvent {
  readonly id: number;
  readonly type: string;
  readonly [name: string]: unknown;
}

/** What a viewer got so far, and how its stream ended. */
export interface Watcher {
  readonly seen: SeenEvent[];
  readonly ended: () => boolean;
  /** Waits until so many, or one of the type, came. */
  until(fits: (seen: readonly SeenEvent[]) => boolean): Promise<void>;
  close(): void;
}

export async function waitFor(what: string, fits: () => boolean): Promise<void> {
  const endMs = Date.now() + patienceMs;
  while (!fits()) {
    if (Date.now() > endMs) throw new Error(`waited in vain for ${what}`);
    await pause(5);
  }
}

function watcher(close: () => void) {
  const seen: SeenEvent[] = [];
  let over = false;
  return {
    seen,
    ended: () => over,
    end: () => {
      over = true;
    },
    until: (fits: (seen: readonly SeenEvent[]) => boolean) => waitFor('events', () => fits(seen)),
    close,
  };
}

/** Reads server-sent events as the standard says: by id, event and data lines. */
export async function watchEvents(
  api: Pick<OpenApi, 'start'>,
  path: string,
  headers: Record<string, string>,
): Promise<Watcher> {
  const message = await api.start('GET', path, { accept: 'text/event-stream', ...headers });
  if (message.statusCode !== 200) throw new Error(`status ${message.statusCode}`);
  const made = watcher(() => message.destroy());
  let text = '';
  message.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = new Map(
        block.split('\n').map((line) => {
          const at = line.indexOf(': ');
          return [line.slice(0, at), line.slice(at + 2)];
        }),
      );
      const data = fields.get('data');
      if (data === undefined) continue;
      const event = JSON.parse(data) as SeenEvent;
      if (String(event.id) !== fields.get('id') || event.type !== fields.get('event')) {
        throw new Error(`the lines do not fit together: ${block}`);
      }
      made.seen.push(event);
    }
  });
  message.on('error', () => undefined).once('close', made.end);
  return made;
}

export async function watchSocket(
  api: OpenApi,
  path: string,
  headers: Record<string, string>,
): Promise<Watcher & { socket: WebSocket; code: () => number | undefined; why: () => string }> {
  const socket = new WebSocket(`wss://127.0.0.1:${api.port}${path}`, { ca: api.ca, headers });
  const made = watcher(() => socket.terminate());
  let code: number | undefined;
  let why = '';
  socket.on('message', (data: Buffer) => made.seen.push(JSON.parse(data.toString()) as SeenEvent));
  socket.once('close', (status, reason) => {
    code = status;
    why = reason.toString();
    made.end();
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.on('error', reject);
  });
  return { ...made, socket, code: () => code, why: () => why };
}
