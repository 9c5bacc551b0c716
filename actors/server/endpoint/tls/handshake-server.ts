import { createServer, type Server, type TLSSocket, type TlsOptions } from 'node:tls';
import type { HandshakeWire } from './handshake-wire.ts';

/** What Node's TLS tells of one handshake. */
export interface HandshakeEvents {
  /** A secret, as a line of the format that NSS made usual (draft-ietf-tls-keylogfile). */
  secret(line: string): void;
  secured(socket: TLSSocket): void;
  failed(error: unknown): void;
}

/**
 * Node's TLS for the handshakes of one listener: certificates, ALPN, tickets. It is fed by hand, and tells
 * who the peer is within that call, which is how we know of which connection.
 */
export class HandshakeServer {
  readonly #server: Server;
  #current: HandshakeEvents | undefined;
  /** Node tells of errors when the call is over, but before it reads another socket. */
  #last: HandshakeEvents | undefined;

  constructor(options: TlsOptions) {
    this.#server = createServer(options);
    this.#server.on('keylog', (line) => this.#current?.secret(line.toString('latin1')));
    this.#server.on('secureConnection', (socket) => {
      if (this.#current === undefined) socket.destroy();
      else this.#current.secured(socket);
    });
    this.#server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
      // A connection that ended tells so itself, and sooner.
      if (error.code !== 'ECONNRESET') this.#last?.failed(error);
      socket.destroy();
    });
  }

  begin(wire: HandshakeWire, events: HandshakeEvents): void {
    this.#for(events, () => this.#server.emit('connection', wire));
  }

  feed(wire: HandshakeWire, bytes: Buffer, events: HandshakeEvents): void {
    this.#for(events, () => wire.feed(bytes));
  }

  #for(events: HandshakeEvents, run: () => void): void {
    this.#current = events;
    this.#last = events;
    try {
      run();
    } finally {
      this.#current = undefined;
    }
  }
}
