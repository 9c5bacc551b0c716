import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createSecureContext } from 'node:tls';
import {
  opened,
  type RecordKeys,
  recordHeaderLength,
  sealed,
} from '../../actors/server/endpoint/tls/record-keys.ts';
import { RecordReader } from '../../actors/server/endpoint/tls/record-reader.ts';
import { type Agreed, contextOptions, Handshake } from '../../bench/fleet/handshake.ts';
import type { TestAuthority, TestIdentity } from './test-authority.ts';

/** A record as the peer of a test got it. */
export interface Heard {
  readonly type: number;
  readonly content: Buffer;
}

/** A client whose handshake is Node's, and whose records may be whatever a test wants. */
export class TlsPeer {
  readonly socket: Socket;
  readonly sending: RecordKeys;
  readonly receiving: RecordKeys;
  readonly heard: Heard[] = [];
  readonly #records = new RecordReader();
  #isClosed = false;
  #told: (() => void) | undefined;

  private constructor(socket: Socket, agreed: Agreed) {
    this.socket = socket;
    this.sending = agreed.sending;
    this.receiving = agreed.receiving;
    socket.once('close', () => {
      this.#isClosed = true;
      this.#told?.();
    });
  }

  /** Tickets are heard as type 22. */
  static async connect(port: number, ours: TestAuthority, identity: TestIdentity) {
    const context = createSecureContext({
      ...contextOptions,
      ca: ours.authority.certificatePem,
      cert: identity.certificate,
      key: identity.key,
    });
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    let peer: TlsPeer | undefined;
    const early: Buffer[] = [];
    return new Promise<TlsPeer>((resolve, reject) => {
      const handshake = new Handshake(
        socket,
        { context },
        {
          agreed: (keys) => {
            peer = new TlsPeer(socket, keys);
            handshake.end();
            for (const bytes of early) peer.#came(bytes);
            resolve(peer);
          },
          failed: reject,
          given: () => undefined,
        },
      );
      socket.on('data', (bytes: Buffer) => {
        if (peer !== undefined) peer.#came(bytes);
        else if (handshake.isOver) early.push(bytes);
        else handshake.feed(bytes);
      });
    });
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** A sealed record; `padding` zeros behind its type. */
  record(content: Uint8Array, type = 23, padding = 0): Buffer {
    if (padding === 0) {
      const length = this.sending.seal(content, 0, content.length, type);
      return Buffer.from(sealed.subarray(0, length));
    }
    // The type of what is sealed is then the last zero.
    const inner = Buffer.concat([content, Buffer.from([type]), Buffer.alloc(padding - 1)]);
    return Buffer.from(sealed.subarray(0, this.sending.seal(inner, 0, inner.length, 0)));
  }

  send(content: Uint8Array, type = 23): void {
    this.socket.write(this.record(content, type));
  }

  async until(done: () => boolean): Promise<void> {
    while (!done() && !this.#isClosed) await new Promise<void>((resolve) => (this.#told = resolve));
  }

  /** What was heard as data. */
  get data(): string {
    const parts = this.heard.filter(({ type }) => type === 23).map(({ content }) => content);
    return Buffer.concat(parts).toString();
  }

  /** Descriptions of the alerts that were heard. */
  get alerts(): (number | undefined)[] {
    return this.heard.filter(({ type }) => type === 21).map(({ content }) => content[1]);
  }

  #came(bytes: Buffer): void {
    this.#records.read(bytes, (record) => {
      const length = this.receiving.open(record.subarray(recordHeaderLength));
      const content = Buffer.from(opened.subarray(0, length));
      this.heard.push({ type: opened[length] ?? -1, content });
      const isKeyUpdate = opened[length] === 22 && content[0] === 24;
      if (isKeyUpdate) this.receiving.update();
      return true;
    });
    this.#told?.();
  }
}
