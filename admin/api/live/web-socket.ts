import type { WebSocket } from 'ws';
import { AdminError } from '../../errors.ts';
import type { EventChunk, LiveOutlet, StreamNotice } from './outlet.ts';

/** Bytes of a frame from a viewer: it has nothing to say but pings, whose limit is 125. */
export const viewerFrameMax = 1024;
/** Pings in one period of counting; a viewer that sends more is let go. */
const pingsMax = 20;
const pingPeriodMs = 10_000;
/** Frames that are read of a viewer that was told to go. */
const afterwordsMax = 500;
const lastWordsMs = 5_000;
/** https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1 */
const closeCodes = { policyViolation: 1008, tryAgainLater: 1013 } as const;
const tryAgain: readonly string[] = ['EVENTS_TOO_SLOW', 'EVENTS_SERVER_STOPS'];

/** The same events as messages: one JSON object each. */
export class WebSocketOutlet implements LiveOutlet {
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  get waitingBytes(): number {
    return this.#socket.bufferedAmount;
  }

  send(chunk: EventChunk): void {
    for (const { json } of chunk.entries) this.#socket.send(json);
  }

  notify({ type, id, data }: StreamNotice): void {
    this.#socket.send(JSON.stringify({ id, type, ...data }));
  }

  beat(): void {
    this.#socket.ping();
  }

  end(notice: StreamNotice): void {
    this.notify(notice);
    const code = String(notice.data.code);
    const { policyViolation, tryAgainLater } = closeCodes;
    this.#socket.close(tryAgain.includes(code) ? tryAgainLater : policyViolation, code);
    setTimeout(() => this.#socket.terminate(), lastWordsMs).unref();
  }
}

/** Viewers only listen: whoever talks, or pings without end, is let go. `nowMs`: monotonic. */
export function refuseTalk(socket: WebSocket, outlet: LiveOutlet, nowMs: () => number): void {
  let pings = 0;
  let countedFromMs = nowMs();
  const refuse = (): void => {
    const { code, message, remedy } = new AdminError('EVENTS_READ_ONLY');
    outlet.end({ type: 'end', id: 0, data: { code, message, remedy } });
    let afterwords = 0;
    const ignore = (): void => {
      afterwords += 1;
      if (afterwords > afterwordsMax) socket.terminate();
    };
    socket.removeAllListeners('message').on('message', ignore);
    socket.removeAllListeners('ping').on('ping', ignore);
  };
  socket.once('message', refuse);
  socket.on('ping', (data: Buffer) => {
    if (nowMs() - countedFromMs > pingPeriodMs) {
      countedFromMs = nowMs();
      pings = 0;
    }
    pings += 1;
    if (pings > pingsMax) refuse();
    else socket.pong(data);
  });
}
