import { isIPv6 } from 'node:net';

/** Peers that are remembered; the one that failed longest ago is forgotten first. */
export const failurePeerLimit = 10_000;
const windowMs = 60_000;

interface Failures {
  readonly sinceMs: number;
  readonly count: number;
}

/** Counts failed registrations per peer, to slow down who guesses tokens. */
export class FailureLimit {
  readonly #perMinute: number;
  readonly #peers = new Map<string, Failures>();

  constructor(perMinute: number) {
    this.#perMinute = perMinute;
  }

  /** Milliseconds until this peer may try again; 0 = now. */
  waitMs(peerAddress: string, nowMs: number): number {
    const failures = this.#current(peerAddress, nowMs);
    if (failures === undefined || failures.count < this.#perMinute) return 0;
    return failures.sinceMs + windowMs - nowMs;
  }

  failed(peerAddress: string, nowMs: number): void {
    const peer = peerOf(peerAddress);
    const failures = this.#current(peerAddress, nowMs) ?? { sinceMs: nowMs, count: 0 };
    this.#peers.delete(peer);
    this.#peers.set(peer, { ...failures, count: failures.count + 1 });
    for (const oldest of this.#peers.keys()) {
      if (this.#peers.size <= failurePeerLimit) break;
      this.#peers.delete(oldest);
    }
  }

  get peers(): number {
    return this.#peers.size;
  }

  #current(peerAddress: string, nowMs: number): Failures | undefined {
    const failures = this.#peers.get(peerOf(peerAddress));
    if (failures === undefined) return undefined;
    const age = nowMs - failures.sinceMs;
    return age >= 0 && age < windowMs ? failures : undefined;
  }
}

/** One machine has a whole IPv6 /64 to itself, so that is what counts. */
export function peerOf(peerAddress: string): string {
  const address = peerAddress.replace(/^\[|\]$/g, '');
  if (!isIPv6(address)) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  return (
    mapped ??
    new URL(`http://[${address}]`).hostname
      .replace(/^\[|\]$/g, '')
      .split(':', 4)
      .join(':')
  );
}
