import type { ServerConfig } from '../../../actors/server/config/config.ts';
import type { Clock } from '../../../runtime/ports/clock.ts';
import { AdminError } from '../../errors.ts';

/** A bucket of tokens: `burst` at once, refilled by `perSecond`. */
export interface RatePolicy {
  readonly name: string;
  readonly perSecond: number;
  readonly burst: number;
}

export interface RatePolicies {
  /** Per person or token. */
  readonly principal: RatePolicy;
  /** Writes per person or token. */
  readonly writes: RatePolicy;
  /** Per address, whoever asks; many people may stand behind one. */
  readonly address: RatePolicy;
  /** Refused credentials per address. */
  readonly refusals: RatePolicy;
}

/** Those of a server.yaml that says nothing. */
export const ratePolicies: RatePolicies = {
  principal: { name: 'principal', perSecond: 50, burst: 500 },
  writes: { name: 'writes', perSecond: 10, burst: 100 },
  address: { name: 'address', perSecond: 200, burst: 2_000 },
  refusals: { name: 'refusals', perSecond: 0.5, burst: 30 },
};

const secondsPerMinute = 60;

export function ratePoliciesOf(settings: ServerConfig['api']): RatePolicies {
  const policy = (name: string, perSecond: number, burst: number) => ({ name, perSecond, burst });
  const { refusalsPerMinute, refusalsBurst } = settings;
  return {
    principal: policy('principal', settings.requestsPerSecond, settings.requestsBurst),
    writes: policy('writes', settings.writesPerSecond, settings.writesBurst),
    address: policy('address', settings.addressRequestsPerSecond, settings.addressBurst),
    refusals: policy('refusals', refusalsPerMinute / secondsPerMinute, refusalsBurst),
  };
}

const bucketsMax = 10_000;

interface Bucket {
  tokens: number;
  atMs: number;
}

/** Counts requests by key. The key that was quiet for longest is forgotten when there are too many. */
export class RateLimit {
  readonly #policy: RatePolicy;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #buckets = new Map<string, Bucket>();

  constructor(policy: RatePolicy, clock: Pick<Clock, 'monotonicMs'>) {
    this.#policy = policy;
    this.#clock = clock;
  }

  /** Takes one; throws API_RATE_LIMITED, with the seconds to wait in `details`, when none is left. */
  take(key: string): RateState {
    const bucket = this.#bucket(key);
    if (bucket.tokens < 1) throw this.#refusal(bucket);
    bucket.tokens -= 1;
    return this.#state(bucket);
  }

  /** Throws like `take` and takes nothing. */
  check(key: string): void {
    const bucket = this.#bucket(key);
    if (bucket.tokens < 1) throw this.#refusal(bucket);
  }

  #refusal(bucket: Bucket): AdminError {
    const { name, perSecond } = this.#policy;
    const retryAfter = Math.max(1, Math.ceil((1 - bucket.tokens) / perSecond));
    const detail = `${name}: ${retryAfter} s to wait`;
    return new AdminError('API_RATE_LIMITED', detail, {
      retryAfter,
      headers: rateHeaders(this.#state(bucket)),
    });
  }

  #state({ tokens }: Bucket): RateState {
    return { policy: this.#policy, left: Math.max(0, Math.floor(tokens)) };
  }

  #bucket(key: string): Bucket {
    const { perSecond, burst } = this.#policy;
    const nowMs = this.#clock.monotonicMs();
    const known = this.#buckets.get(key);
    const gained = known === undefined ? 0 : ((nowMs - known.atMs) / 1000) * perSecond;
    const bucket = { tokens: Math.min(burst, (known?.tokens ?? burst) + gained), atMs: nowMs };
    this.#buckets.delete(key);
    if (this.#buckets.size >= bucketsMax) {
      const [oldest] = this.#buckets.keys();
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    this.#buckets.set(key, bucket);
    return bucket;
  }
}

export interface RateState {
  readonly policy: RatePolicy;
  readonly left: number;
}

/** https://www.ietf.org/archive/id/draft-ietf-httpapi-ratelimit-headers-10.txt */
export function rateHeaders({ policy, left }: RateState): Record<string, string> {
  const { name, burst, perSecond } = policy;
  const refill = Math.ceil(burst / perSecond);
  const reset = Math.ceil((burst - left) / perSecond);
  return {
    'ratelimit-policy': `"${name}";q=${burst};w=${refill}`,
    ratelimit: `"${name}";r=${left};t=${reset}`,
  };
}
