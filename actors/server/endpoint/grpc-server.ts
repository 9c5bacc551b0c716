import type { Duplex } from 'node:stream';
import {
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServerInterceptingCall,
  type ServerInterceptor,
  type ServiceDefinition,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { methods, register } from '../../../agent/protocol/methods.ts';
import { sessionMemoryLimitMb, streamsPerConnectionLimit } from './limits.ts';
import { type RefusedCall, refusal, toServiceError } from './refusals.ts';

/** An answer on its way out: encoded, or a refusal; with the trace that it belongs to. */
export type Outcome = Uint8Array | { readonly refused: RefusedCall; readonly traceparent: string };

/** Serves one method: the request as it came, and the peer's "address:port". Never rejects. */
export type Serve = (request: Buffer, peer: string) => Promise<Outcome>;

export interface GrpcEndpoint {
  inject(connection: Duplex): void;
  /** Tells the peers to go, lets calls under way end for at most `graceMs`. */
  drain(graceMs: number): void;
  close(): void;
}

/** Room for the envelope of the largest request, which its own method then measures exactly. */
const receiveLimit = Math.max(...Object.values(methods).map(({ requestLimit }) => requestLimit));

/**
 * The agents' service on connections that were accepted elsewhere. Requests and answers are bytes
 * here, so that each method applies its own limits and refuses in its own words.
 */
export function createGrpcEndpoint(serve: Readonly<Record<string, Serve>>): GrpcEndpoint {
  const server = new Server({
    'grpc.enable_channelz': 0,
    'grpc.max_concurrent_streams': streamsPerConnectionLimit,
    'grpc.max_receive_message_length': receiveLimit,
    'grpc-node.max_session_memory': sessionMemoryLimitMb,
    interceptors: [explainRefusals],
  });
  const definition: Record<string, ServiceDefinition[string]> = {};
  const implementation: Record<string, handleUnaryCall<Buffer, Buffer>> = {};
  for (const [name, { path }] of Object.entries({ Register: register, ...methods })) {
    definition[name] = {
      path,
      requestStream: false,
      responseStream: false,
      requestSerialize: asBuffer,
      requestDeserialize: (bytes: Buffer) => bytes,
      responseSerialize: asBuffer,
      responseDeserialize: (bytes: Buffer) => bytes,
    };
    const method = serve[path];
    if (method === undefined) throw new Error(`no implementation of ${path}`);
    implementation[name] = (call, callback) => {
      method(call.request, call.getPeer()).then((outcome) => {
        if (outcome instanceof Uint8Array) callback(null, asBuffer(outcome));
        else callback(toServiceError(outcome.refused, outcome.traceparent));
      });
    };
  }
  server.addService(definition, implementation as UntypedServiceImplementation);
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  return {
    inject: (connection) => injector.injectConnection(connection),
    drain: (graceMs) => injector.drain(graceMs),
    close: () => {
      injector.destroy();
      server.forceShutdown();
    },
  };
}

/**
 * The library refuses oversized, truncated and badly compressed messages by itself; this adds the
 * code and the remedy that every refusal of ours carries. It changes one method of the call instead
 * of wrapping the whole call, which would double the cost of every request.
 */
const explainRefusals: ServerInterceptor = ({ path }, call) => {
  const send = call.sendStatus.bind(call);
  call.sendStatus = (sent) => {
    const explained = sent.code === undefined || sent.code === status.OK || sent.metadata;
    if (explained) send(sent);
    else send(toServiceError(libraryRefusal(sent.code, sent.details ?? '', path)));
  };
  return call as ServerInterceptingCall;
};

function libraryRefusal(code: number | undefined, reason: string, path: string): RefusedCall {
  const [, size, limit] = /(\d+) vs\.? (\d+)/.exec(reason) ?? [];
  if (code === status.RESOURCE_EXHAUSTED && size !== undefined && limit !== undefined) {
    const method = path.slice(path.lastIndexOf('/') + 1);
    return { ...refusal('REQUEST_TOO_LARGE', { size, limit, method }), retryAfterMs: 0 };
  }
  const late = code === status.DEADLINE_EXCEEDED;
  return refusal(late ? 'REQUEST_OVERLOADED' : 'REQUEST_MALFORMED', { reason });
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
