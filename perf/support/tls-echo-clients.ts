import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, createSecureContext, type TLSSocket } from 'node:tls';
import type { Identity } from '../../bench/fleet/identities.ts';

/** As long as a signed check-in. */
const request = Buffer.alloc(300, 2);
/** Handshakes at a time. */
const lanes = 8;
/** What is under way after the last request comes within it. */
const drainMs = 500;
/** Coprime to usual numbers of connections, so that neighbours in time are none in memory. */
const stride = 7919;

/** Connections to one echo server, each with a client certificate of its own. */
export class EchoClients {
  readonly #sockets: TLSSocket[] = [];
  readonly #port: number;
  readonly #authority: string;
  #answered = 0;

  /** `authority`: PEM. */
  constructor(port: number, authority: string) {
    this.#port = port;
    this.#authority = authority;
  }

  async open(identities: readonly Identity[]): Promise<void> {
    const queue = identities.values();
    const lane = async (): Promise<void> => {
      for (const identity of queue) this.#sockets.push(await this.#connect(identity));
    };
    await Promise.all(Array.from({ length: lanes }, lane));
  }

  /** Sends `rate` requests per second, spread over the connections. Returns how many were answered. */
  async ask(rate: number, seconds: number): Promise<number> {
    const before = this.#answered;
    const startMs = performance.now();
    for (let sent = 0; sent < rate * seconds; ) {
      const due = ((performance.now() - startMs) / 1000) * rate;
      for (; sent < due; sent++) {
        this.#sockets[(sent * stride) % this.#sockets.length]?.write(request);
      }
      await sleep(1);
    }
    await sleep(drainMs);
    return this.#answered - before;
  }

  async #connect(identity: Identity): Promise<TLSSocket> {
    const secureContext = createSecureContext({
      ca: this.#authority,
      cert: identity.certificatePem,
      key: identity.keyPem,
    });
    const target = { host: '127.0.0.1', port: this.#port, servername: '' };
    const options = { ...target, secureContext, ALPNProtocols: ['h2'] };
    const socket = connect({ ...options, checkServerIdentity: () => undefined });
    await once(socket, 'secureConnect');
    socket.setNoDelay(true);
    socket.on('data', () => {
      this.#answered += 1;
    });
    return socket;
  }
}
