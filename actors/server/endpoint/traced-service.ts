import { RegisterRequest } from '../../../agent/protocol/gen/vigo/v1/agent.ts';
import { SignedRequest } from '../../../agent/protocol/gen/vigo/v1/envelope.ts';
import { register } from '../../../agent/protocol/methods.ts';
import { parseTraceparent } from '../../../agent/protocol/traceparent.ts';
import type { SpanAttributes } from '../../tracing/messages.ts';
import { isSampled } from '../../tracing/sampling.ts';
import type { SpanEnd, Tracer } from '../../tracing/tracer.ts';
import type { Outcome, Serve } from './grpc-server.ts';
import { grpcStatusName, isServerFault } from './grpc-status.ts';

/**
 * The agents' service with a span for a share of its calls. It stands before the service only where
 * traces are exported, so that a check-in elsewhere does not even ask. What it exports of a call is
 * read a second time, which a sampled call can afford.
 */
export function tracedService(
  services: Readonly<Record<string, Serve>>,
  tracer: Tracer,
  checkInsOneIn: number,
): Readonly<Record<string, Serve>> {
  const entries = Object.entries(services).map(([path, serve]): [string, Serve] => {
    // A registration happens once in the life of a machine.
    const oneIn = path === register.path ? 1 : checkInsOneIn;
    return [path, traced(path, serve, tracer, oneIn)];
  });
  return Object.fromEntries(entries);
}

function traced(path: string, serve: Serve, tracer: Tracer, oneIn: number): Serve {
  const method = path.slice(1);
  const attributes = { 'rpc.system': 'grpc', 'rpc.system.name': 'grpc', 'rpc.method': method };
  const type = path === register.path ? RegisterRequest : SignedRequest;
  return async (bytes, connection) => {
    const traceparent = traceparentOf(type, bytes);
    const trace = traceparent === undefined ? undefined : parseTraceparent(traceparent);
    if (trace === undefined || !isSampled(trace.traceId, oneIn)) {
      return await serve(bytes, connection);
    }
    const span = tracer.begin(traceparent, { name: method, kind: 'server', attributes });
    const outcome = await serve(bytes, connection);
    span?.end(ended(outcome, connection.envoyId));
    return outcome;
  };
}

function ended(outcome: Outcome, envoyId: string | undefined): SpanEnd {
  const who: SpanAttributes = envoyId === undefined ? {} : { 'vigo.envoy.id': envoyId };
  if (outcome instanceof Uint8Array) return { attributes: { ...who, 'rpc.status_code': 'OK' } };
  const { code, grpcStatus } = outcome.refused;
  const status = { 'rpc.status_code': grpcStatusName(grpcStatus), 'vigo.error.code': code };
  const failure = isServerFault(grpcStatus) ? { failure: code } : {};
  return { attributes: { ...who, ...status }, ...failure };
}

/** Undefined when there is none, or when the bytes are no request: that is for the service to refuse. */
function traceparentOf(
  type: { decode(bytes: Uint8Array): { traceparent: string } },
  bytes: Uint8Array,
): string | undefined {
  try {
    return type.decode(bytes).traceparent || undefined;
  } catch {
    return undefined;
  }
}
