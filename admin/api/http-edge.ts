import type { Readable } from 'node:stream';
import type { LiveBody } from './live/outlet.ts';

/** A request before its body. */
export interface RequestHead {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
  header(name: string): string | undefined;
  /** Names of headers that came more than once and must not. */
  readonly repeatedHeaders?: readonly string[];
}

/** A request as the router sees it, whatever server received it. */
export interface EdgeRequest extends RequestHead {
  readonly body: Uint8Array;
  readonly peerAddress: string;
  /** W3C trace context of what is done for it. */
  readonly traceparent?: string;
}

/** A body that is too large to be held; the edge reads it as fast as the peer takes it. */
export class StreamBody {
  /** Undefined: it is known only at its end, and goes out in chunks. */
  readonly bytes: number | undefined;
  readonly stream: Readable;

  constructor(bytes: number | undefined, stream: Readable) {
    this.bytes = bytes;
    this.stream = stream;
  }
}

export interface EdgeResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | StreamBody | LiveBody;
}

export type MalformedCode = 'API_MALFORMED' | 'API_HEAD_TOO_LARGE' | 'API_TOO_SLOW';

export interface HttpEdgeOptions {
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  readonly certificatePem: string;
  readonly keyPem: string;
  /** Bytes that the body of this request may have; asked before any of it is read. */
  bodyBytesMax(head: RequestHead): number;
  handle(request: EdgeRequest): Promise<EdgeResponse>;
  /** A request to become a WebSocket: becomes one when the answer's body is a LiveBody. */
  handleUpgrade?(request: EdgeRequest): Promise<EdgeResponse>;
  /** What is answered when a body is larger than allowed. */
  readonly tooLarge: EdgeResponse;
  /** What is answered to what never became a request. */
  malformed(code: MalformedCode): EdgeResponse;
}

/** A TLS-only HTTP server. */
export interface HttpEdge {
  readonly port: number;
  /** Stops accepting, lets running requests end, then resolves. */
  close(): Promise<void>;
}
