import type { Clock } from '../../../runtime/ports/clock.ts';
import type { Principal } from '../authenticate.ts';
import type { RequestHead } from '../http-edge.ts';
import {
  RateLimit,
  type RatePolicies,
  type RateState,
  rateHeaders,
  ratePolicies,
} from './rate-limit.ts';

const reading = new Set(['GET', 'HEAD', 'OPTIONS']);
const loopback = /^(?:127\.|::1$|::ffff:127\.)/;

/**
 * The limits of one server: per address, per principal, for writes, and for wrong credentials. Who
 * holds the local administrator's token on the machine itself could stop the server anyway: neither
 * that token nor the loopback has a limit, so that scripts and measurements run unhindered.
 */
export class RateGuard {
  readonly #principal: RateLimit;
  readonly #writes: RateLimit;
  readonly #address: RateLimit;
  readonly #refusals: RateLimit;

  constructor(clock: Pick<Clock, 'monotonicMs'>, policies: RatePolicies = ratePolicies) {
    this.#principal = new RateLimit(policies.principal, clock);
    this.#writes = new RateLimit(policies.writes, clock);
    this.#address = new RateLimit(policies.address, clock);
    this.#refusals = new RateLimit(policies.refusals, clock);
  }

  /** Before it is known who asks. Throws API_RATE_LIMITED. */
  arrived(address: string): void {
    if (loopback.test(address)) return;
    this.#refusals.check(address);
    this.#address.take(address);
  }

  /** A credential was refused: who tries many is slowed down. */
  refused(address: string): void {
    if (loopback.test(address)) return;
    try {
      this.#refusals.take(address);
    } catch {
      // The bucket is empty already; the next arrival is refused for it.
    }
  }

  /** Who asks is known. Throws API_RATE_LIMITED; returns the headers that say what is left. */
  known(request: RequestHead, { by, tokenId, sessionId }: Principal): Record<string, string> {
    if (tokenId === undefined && sessionId === undefined) return {};
    const state = this.#principal.take(by);
    if (reading.has(request.method)) return rateHeaders(state);
    const writes = this.#writes.take(by);
    return rateHeaders(tighter(state, writes));
  }
}

function tighter(one: RateState, other: RateState): RateState {
  return one.left <= other.left ? one : other;
}
