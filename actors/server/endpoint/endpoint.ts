import type { ActorSystem } from '../../../runtime/actor.ts';
import { envoyAddress } from '../../envoy/messages.ts';
import type { Tracer } from '../../tracing/tracer.ts';
import type { FleetCounters } from '../fleet-counters.ts';
import type { EndpointCounters } from '../status.ts';
import { Coalescing, type Pause } from './coalescing.ts';
import type { ConnectionTable } from './connections.ts';
import { Counters } from './counters.ts';
import { createFleetService } from './fleet-service.ts';
import { createGrpcEndpoint } from './grpc-server.ts';
import { unfinishedBodiesLimit } from './limits.ts';
import { RefusalLog } from './refusal-log.ts';
import { createTlsListener, type TlsIdentity, type TlsRecords } from './tls-listener.ts';
import { tracedService } from './traced-service.ts';

export interface EndpointOptions {
  readonly thread: string;
  readonly identity: TlsIdentity;
  readonly bundlePublicKey: Uint8Array;
  /** Keys that sign releases; none: the bundle key does. */
  readonly releasePublicKeys: readonly Uint8Array[];
  readonly intervalMs: number;
  /** Bytes of one report. */
  readonly reportLimit: number;
  readonly connectionLimit: number;
  readonly handshakesPerSecond: number;
  /** Who seals the records of connections (docs/decisions/0047); absent = we do. */
  readonly tlsRecords?: TlsRecords;
  /** Bytes that all unfinished requests may hold; absent = the default. */
  readonly unfinishedLimit?: number;
  /** The envoy's connection came or went: what was remembered of it may be outdated. */
  readonly onConnection: (envoyId: string) => void;
  /** How check-ins gather; absent = each is looked for at once. */
  readonly coalescing?: { readonly delayMsMax: number; readonly pause: Pause };
  /** For the log: refusals and cut-off connections, with their trace. */
  readonly onRefusal: (code: string, details: Readonly<Record<string, unknown>>) => void;
  /** For the log at its most talkative. */
  readonly onServed?: (method: string, details: Readonly<Record<string, unknown>>) => void;
  /** Absent: no traces. */
  readonly tracing?: { readonly tracer: Tracer; readonly checkInsOneIn: number };
}

/** The agents' door of one shard. */
export interface Endpoint {
  /** Resolves with the port. Several shards may listen on one port. */
  listen(host: string, port: number): Promise<number>;
  disconnect(envoyId: string): void;
  counters(): EndpointCounters;
  fleetCounters(): FleetCounters;
  /** Accepts nobody any more; resolves when all calls have ended, after `graceMs` at the latest. */
  drain(graceMs: number): Promise<void>;
  close(): void;
}

type EndpointSystem = Pick<ActorSystem, 'ask' | 'tell' | 'claim' | 'release' | 'ports'>;

export function createEndpoint(system: EndpointSystem, options: EndpointOptions): Endpoint {
  const counters = new Counters();
  const refusals = new RefusalLog(system, options.thread);
  const refused = (
    { code, message = '' }: { readonly code: string; readonly message?: string },
    envoyId: string | undefined,
    peer: string,
    traceparent = '',
  ) => {
    refusals.add({ code, message, envoyId, peer, traceparent });
    options.onRefusal(code, { envoyId, peer, traceparent });
  };
  const listener = createTlsListener(options.identity, options, system.ports.clock, {
    accepted: (connection) => {
      if (connection.envoyId !== undefined) options.onConnection(connection.envoyId);
      grpc.inject(connection);
    },
    closed: ({ envoyId, claim }, last) => {
      if (envoyId !== undefined) options.onConnection(envoyId);
      if (last && claim !== undefined && envoyId !== undefined) {
        system.release(envoyAddress(envoyId));
      }
    },
    refused: (reason, peer) => {
      const certificate = reason.startsWith('certificate');
      const code = certificate ? 'REQUEST_CERTIFICATE_REFUSED' : 'CONNECTION_CUT_OFF';
      counters.refused(code);
      if (certificate) refused({ code }, undefined, peer);
      else options.onRefusal(code, { peer, reason });
    },
  });
  const service = createFleetService({
    ...options,
    system,
    counters,
    refused: (call, { envoyId, peer, traceparent }) => refused(call, envoyId, peer, traceparent),
  });
  const { tracing } = options;
  const coalescing = new Coalescing(system.ports.clock, {
    ...(options.coalescing ?? { delayMsMax: 0, pause: () => undefined }),
    isBusy: listener.isHandshaking,
  });
  const grpc = createGrpcEndpoint(
    tracing === undefined ? service : tracedService(service, tracing.tracer, tracing.checkInsOneIn),
    system.ports.clock,
    ({ envoyId, peer }, reason) => {
      counters.refused('CONNECTION_CUT_OFF');
      options.onRefusal('CONNECTION_CUT_OFF', { envoyId, peer, reason });
    },
    options.unfinishedLimit ?? unfinishedBodiesLimit,
    (method) => coalescing.came(method !== 'CheckIn'),
  );
  return {
    listen: (host, port) => listener.listen(host, port),
    disconnect: (envoyId) => listener.connections.disconnect(envoyId),
    counters: () => counters.read(listener.connections.size),
    fleetCounters: () => counters.fleet(),
    drain: async (graceMs) => {
      listener.stopAccepting();
      grpc.drain();
      await listener.connections.emptied(system.ports.clock, graceMs);
      await refusals.settle();
    },
    close: () => closeAll(listener.connections, grpc),
  };
}

function closeAll(connections: ConnectionTable, grpc: { close(): void }): void {
  grpc.close();
  connections.destroyAll();
}
