import { ErrorDetail } from './gen/vigo/v1/envelope.ts';
import { errorDetailLimit, protocolVersion } from './limits.ts';

/** The gRPC trailer that carries an encoded ErrorDetail. */
export const errorDetailTrailer = 'vigo-error-bin';

const textLimit = 1024;

export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly remedy?: string;
  readonly retryAfterMs?: number;
  readonly traceparent?: string;
}

/** Long texts are cut, so that the trailer always fits. */
export function encodeErrorDetail(refusal: Refusal): Uint8Array {
  return ErrorDetail.encode({
    code: refusal.code.slice(0, 128),
    message: refusal.message.slice(0, textLimit),
    remedy: (refusal.remedy ?? '').slice(0, textLimit),
    retryAfterMs: refusal.retryAfterMs ?? 0,
    protocolVersion,
    traceparent: refusal.traceparent ?? '',
  }).finish();
}

/** Undefined when the bytes are none; a peer's nonsense is no reason to fail differently. */
export function decodeErrorDetail(bytes: Uint8Array): ErrorDetail | undefined {
  if (bytes.length > errorDetailLimit) return undefined;
  try {
    const detail = ErrorDetail.decode(bytes);
    return detail.code === '' ? undefined : detail;
  } catch {
    return undefined;
  }
}
