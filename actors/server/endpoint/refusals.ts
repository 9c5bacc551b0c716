import { RuntimeError } from '../../../runtime/errors.ts';
import type { Refusal } from '../../envoy/rules.ts';
import { ServerError } from '../../errors.ts';
import { grpcStatus } from './grpc-status.ts';
import { overloadRetryMs } from './limits.ts';

/** A refused or failed request as the peer sees it. */
export interface RefusedCall {
  readonly code: string;
  readonly grpcStatus: number;
  readonly message: string;
  readonly remedy: string;
  readonly retryAfterMs: number;
}

/** Busy is not broken: the peer is told when to come back. */
const comeBack: ReadonlySet<number> = new Set([
  grpcStatus.unavailable,
  grpcStatus.resourceExhausted,
]);

export function refusedCall(reason: unknown): RefusedCall {
  if (reason instanceof ServerError) return describe(reason, reason.retryAfterMs);
  if (reason instanceof RuntimeError) {
    return describe(reason, comeBack.has(reason.grpcStatus) ? overloadRetryMs : 0);
  }
  return describe(new ServerError('REQUEST_FAILED', {}, { cause: reason }), overloadRetryMs);
}

export function refusal(code: Refusal['code'], details: Refusal['details'] = {}): RefusedCall {
  const error = new ServerError(code, details);
  return describe(error, comeBack.has(error.grpcStatus) ? overloadRetryMs : 0);
}

/** What an actor answered instead of a response. */
export function refusedByActor({ code, details, retryAfterMs }: Refusal): RefusedCall {
  return describe(new ServerError(code, details), retryAfterMs);
}

function describe(error: ServerError | RuntimeError, retryAfterMs: number): RefusedCall {
  const { code, grpcStatus, message, remedy } = error;
  return { code, grpcStatus, message, remedy, retryAfterMs };
}
