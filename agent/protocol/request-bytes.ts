import { CanonicalWriter, requestDomain, writeNumber } from './canonical.ts';
import { hashLength, type Sha256 } from './crypto.ts';
import type { SignedRequest } from './gen/vigo/v1/envelope.ts';
import type { SignedMethodName } from './methods.ts';
import { uuidLength } from './uuid.ts';

/**
 * The canonical bytes of a signed request: domain, method name, envoy id, protocol version,
 * timestamp, sequence, SHA-256 of the body. All fields but the method's name have a fixed length, so
 * one buffer per method is laid out once and only filled in: the server does this for every check-in.
 */
export class RequestBytes {
  readonly #layouts = new Map<SignedMethodName, Layout>();
  readonly #crypto: Sha256;

  constructor(crypto: Sha256) {
    this.#crypto = crypto;
  }

  /** Valid until the next call for the same method. `envoyId` of the request is 16 bytes long. */
  of(method: SignedMethodName, request: Unsigned): Uint8Array {
    const layout = this.#layout(method);
    layout.bytes.set(request.envoyId, layout.envoyId);
    writeNumber(layout.view, layout.version, request.protocolVersion);
    writeNumber(layout.view, layout.timestamp, request.timestampMs);
    writeNumber(layout.view, layout.sequence, request.sequence);
    this.#crypto.sha256Into(layout.hash, request.body);
    return layout.bytes;
  }

  /** There are as many layouts as methods of the contract. */
  #layout(method: SignedMethodName): Layout {
    const known = this.#layouts.get(method);
    if (known !== undefined) return known;
    const made = layOut(method);
    this.#layouts.set(method, made);
    return made;
  }
}

export type Unsigned = Omit<SignedRequest, 'signature' | 'traceparent' | '_unknownFields'>;

interface Layout {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly envoyId: number;
  readonly version: number;
  readonly timestamp: number;
  readonly sequence: number;
  readonly hash: Uint8Array;
}

function layOut(method: string): Layout {
  const writer = new CanonicalWriter().start(requestDomain).text(method);
  const envoyId = writer.finish().length + 4;
  writer.bytes(new Uint8Array(uuidLength));
  const version = writer.finish().length + 4;
  writer.number(0).number(0).number(0).bytes(new Uint8Array(hashLength));
  const bytes = writer.finish().slice();
  return {
    bytes,
    view: new DataView(bytes.buffer),
    envoyId,
    version,
    timestamp: version + 12,
    sequence: version + 24,
    hash: bytes.subarray(bytes.length - hashLength),
  };
}
