import { type Signer, signatureLength, type Verifier } from './crypto.ts';
import type { SignedRequest } from './gen/vigo/v1/envelope.ts';
import { clockSkewLimitMs, protocolVersion } from './limits.ts';
import { methods, type SignedMethodName } from './methods.ts';
import { RequestBytes } from './request-bytes.ts';
import { uuidLength } from './uuid.ts';

/** What a signed request says beside its body. */
export interface RequestHeader {
  /** 16 bytes. */
  readonly envoyId: Uint8Array;
  readonly timestampMs: number;
  readonly sequence: number;
  readonly traceparent: string;
}

/** Signs requests with one key; made once per identity. */
export class RequestSigner {
  readonly #signer: Signer;
  readonly #bytes: RequestBytes;

  constructor(signer: Signer) {
    this.#signer = signer;
    this.#bytes = new RequestBytes(signer);
  }

  /** `body` is the encoded request message of the method. */
  sign(method: SignedMethodName, header: RequestHeader, body: Uint8Array): SignedRequest {
    const unsigned = { ...header, protocolVersion, body };
    return { ...unsigned, signature: this.#signer.sign(this.#bytes.of(method, unsigned)) };
  }
}

export type RequestVerdict =
  | 'ok'
  /** Field lengths or numbers are impossible, or the body is over the method's limit. */
  | 'malformed'
  | 'version'
  | 'clock-skew'
  /** The sequence is not above the last accepted one. */
  | 'replayed'
  | 'signature';

/** Verifies requests without changing anything; made once per thread. */
export class RequestVerifier {
  readonly #verifier: Verifier;
  readonly #bytes: RequestBytes;
  readonly #clockSkewMs: number;

  /** `clockSkewMs`: how far a timestamp may differ from the verifier's clock. */
  constructor(verifier: Verifier, clockSkewMs = clockSkewLimitMs) {
    this.#verifier = verifier;
    this.#bytes = new RequestBytes(verifier);
    this.#clockSkewMs = clockSkewMs;
  }

  /**
   * Cheap checks first, the signature last; the caller stores the new sequence only after 'ok'.
   * `publicKey`: the 32 bytes registered for `request.envoyId`, which the caller has compared with
   * the peer's certificate. `lastSequence`: the highest one accepted from this envoy, 0 for none.
   */
  verify(
    method: SignedMethodName,
    request: SignedRequest,
    publicKey: Uint8Array,
    lastSequence: number,
    nowMs: number,
  ): RequestVerdict {
    if (request.protocolVersion !== protocolVersion) return 'version';
    if (!wellFormed(method, request)) return 'malformed';
    if (Math.abs(nowMs - request.timestampMs) > this.#clockSkewMs) return 'clock-skew';
    if (request.sequence <= lastSequence) return 'replayed';
    const message = this.#bytes.of(method, request);
    return this.#verifier.verify(request.signature, message, publicKey) ? 'ok' : 'signature';
  }
}

function wellFormed(method: SignedMethodName, request: SignedRequest): boolean {
  return (
    request.envoyId.length === uuidLength &&
    request.signature.length === signatureLength &&
    request.sequence > 0 &&
    request.timestampMs > 0 &&
    request.body.length <= methods[method].bodyLimit
  );
}
