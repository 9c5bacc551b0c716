import type { Clock } from '../../../runtime/ports/clock.ts';
import type { PeerSocket } from './tls/peer-socket.ts';

/** What one accepted connection is allowed to be. */
export interface Connection {
  /** The envoy that the client certificate names; undefined = registration only. */
  readonly envoyId: string | undefined;
  /** The same as 16 bytes, as envelopes carry it. */
  readonly envoyIdBytes: Buffer | undefined;
  readonly peer: string;
  readonly socket: PeerSocket;
  /** The way of the envoy's actor to this shard; true = it is here. */
  claim: Promise<void> | true | undefined;
}

/** The open connections of one shard, by "address:port" of the peer and by envoy. */
export class ConnectionTable {
  readonly #byPeer = new Map<string, Connection>();
  /** The newest connection of each envoy. */
  readonly #byEnvoy = new Map<string, Connection>();
  readonly #limit: number;
  #onEmpty: (() => void) | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#byPeer.size;
  }

  /**
   * False when there is no room, or the peer's name is taken: two connections to different local
   * addresses may share one, and must never share an identity.
   */
  add(connection: Connection): boolean {
    if (this.#byPeer.size >= this.#limit || this.#byPeer.has(connection.peer)) return false;
    this.#byPeer.set(connection.peer, connection);
    if (connection.envoyId !== undefined) this.#byEnvoy.set(connection.envoyId, connection);
    return true;
  }

  /** True when the envoy has no other connection here. */
  remove(connection: Connection): boolean {
    if (this.#byPeer.get(connection.peer) === connection) this.#byPeer.delete(connection.peer);
    if (this.#byPeer.size === 0) this.#onEmpty?.();
    const { envoyId } = connection;
    if (envoyId === undefined || this.#byEnvoy.get(envoyId) !== connection) return false;
    this.#byEnvoy.delete(envoyId);
    return true;
  }

  disconnect(envoyId: string): void {
    this.#byEnvoy.get(envoyId)?.socket.destroy();
  }

  /** Resolves when no connection is left, after `limitMs` at the latest. */
  emptied(clock: Clock, limitMs: number): Promise<void> {
    if (this.#byPeer.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = clock.after(limitMs, resolve);
      this.#onEmpty = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  destroyAll(): void {
    for (const { socket } of this.#byPeer.values()) socket.destroy();
  }
}
