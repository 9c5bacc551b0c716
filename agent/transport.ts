import { AgentError } from './errors.ts';
import type { ErrorDetail } from './protocol/gen/vigo/v1/envelope.ts';

/** One connection to the server that comes back by itself. */
export interface Channel {
  /**
   * One unary gRPC call. Rejects with AGENT_SERVER_UNREACHABLE, _TIMEOUT, _ANSWER, _PIN_MISMATCH,
   * PROTOCOL_TOO_LARGE, or a ServerRefusal.
   */
  call(path: string, request: Uint8Array, options: CallOptions): Promise<Uint8Array>;
  close(): void;
}

export interface CallOptions {
  readonly deadlineMs: number;
  /** The connection, and then the first of the answer, are due within so long. */
  readonly answerWithinMs?: number;
  /** Bytes of the answer above which it is not read on. */
  readonly responseLimit: number;
}

/** gRPC status codes that the agent tells apart. */
export const grpcStatus = {
  invalidArgument: 3,
  deadlineExceeded: 4,
  resourceExhausted: 8,
  unavailable: 14,
} as const;

/** The server's coded "no". `serverCode` is its own code, or "GRPC_<status>" when it gave none. */
export class ServerRefusal extends AgentError {
  readonly serverCode: string;
  readonly serverRemedy: string;
  readonly status: number;

  constructor(status: number, message: string, detail: ErrorDetail | undefined) {
    const serverCode = detail?.code ?? `GRPC_${status}`;
    super('AGENT_SERVER_REFUSED', `${serverCode}: ${detail?.message ?? message}`, {
      retryAfterMs: detail?.retryAfterMs ?? 0,
    });
    this.serverCode = serverCode;
    this.serverRemedy = detail?.remedy ?? '';
    this.status = status;
  }

  override get remedy(): string {
    return this.serverRemedy === '' ? super.remedy : this.serverRemedy;
  }
}
