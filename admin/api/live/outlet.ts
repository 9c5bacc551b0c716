import type { JournalEntry } from './journal.ts';

/** Some events on their way to viewers, in the forms that outlets need; each form is made once. */
export class EventChunk {
  readonly entries: readonly JournalEntry[];
  #eventStream: Buffer | undefined;

  constructor(entries: readonly JournalEntry[]) {
    this.entries = entries;
  }

  /** https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation */
  get eventStream(): Buffer {
    this.#eventStream ??= Buffer.from(
      this.entries.map(({ id, type, json }) => sseEvent(id, type, json)).join(''),
    );
    return this.#eventStream;
  }
}

/** `json` has no line breaks. */
export function sseEvent(id: number, type: string, json: string): string {
  return `id: ${id}\nevent: ${type}\ndata: ${json}\n\n`;
}

/** What the stream says of itself; not in the journal. */
export interface StreamNotice {
  readonly type: 'hello' | 'news' | 'reset' | 'end';
  /** Where the stream stands. */
  readonly id: number;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Where one viewer's events go: an SSE answer or a WebSocket. */
export interface LiveOutlet {
  /** Bytes that the peer has not taken yet. */
  readonly waitingBytes: number;
  send(chunk: EventChunk): void;
  notify(notice: StreamNotice): void;
  /** Keeps proxies from ending a silent connection. */
  beat(): void;
  /** Says why, as far as the peer still takes it, and ends the connection soon in any case. */
  end(notice: StreamNotice): void;
}

/** An answer that goes on: the edge opens it with the outlet, and ends it when the peer is gone. */
export class LiveBody {
  readonly open: (outlet: LiveOutlet) => LiveConnection;

  constructor(open: (outlet: LiveOutlet) => LiveConnection) {
    this.open = open;
  }
}

export interface LiveConnection {
  /** The peer took what waited. */
  drained(): void;
  /** The peer is gone. */
  closed(): void;
}
