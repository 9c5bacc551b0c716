import { AdminError } from '../errors.ts';

/** RFC 9457 problem details, with our stable code and remedy as extension members. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly remedy: string;
  readonly traceId: string;
  readonly details?: unknown;
}

interface CodedError {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
  readonly httpStatus?: number;
  readonly details?: unknown;
}

function isCoded(error: unknown): error is CodedError {
  if (typeof error !== 'object' || error === null) return false;
  return 'code' in error && 'remedy' in error && typeof error.code === 'string';
}

/** Errors that cross threads arrive as plain objects; what they say is shown, stacks never are. */
export function problemOf(error: unknown, traceId: string): Problem {
  const coded: CodedError = isCoded(error) ? error : new AdminError('API_INTERNAL');
  const busy = /_(MAILBOX_FULL|DEADLINE|NOT_PLACED|PARKED|STOPPING)$/.test(coded.code);
  const status = coded.httpStatus ?? (busy ? 503 : 422);
  return {
    type: `urn:vigo:error:${coded.code}`,
    title: coded.code.toLowerCase().replaceAll('_', ' '),
    status,
    code: coded.code,
    detail: coded.message,
    remedy: coded.remedy,
    traceId,
    ...(coded.details === undefined ? {} : { details: detailsOf(coded.details) }),
  };
}

/** Details that cross threads are flat; a list in them travels as JSON text. */
function detailsOf(details: unknown): unknown {
  const { diagnostics } = details as { diagnostics?: unknown };
  if (typeof diagnostics !== 'string') return details;
  return { ...(details as object), diagnostics: JSON.parse(diagnostics) as unknown };
}
