import { createPrivateKey } from 'node:crypto';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { RequestVerifier } from '../../agent/protocol/request.ts';
import { Outbox, outboxEntryLimit } from '../../runtime/outbox.ts';
import { peerStores } from '../../runtime/peer-stores.ts';
import { nodePorts } from '../../runtime/ports/node-ports.ts';
import { openLmdbStore } from '../../runtime/recovery.ts';
import type { ThreadSystem } from '../../runtime/system.ts';
import { joinSystem, threadBootstrap } from '../../runtime/thread.ts';
import { envoyKind } from '../envoy/actor.ts';
import { createPolicyView, type PolicyView } from '../envoy/policy-view.ts';
import { sinkAddress } from '../sink/messages.ts';
import { sqlStatementCount } from '../sink/statement-counter.ts';
import { sodiumSigner, sodiumVerifier } from './crypto/sodium.ts';
import { createEndpoint, type Endpoint } from './endpoint/endpoint.ts';
import { refusalAddress, refusalKind } from './endpoint/refusal-log.ts';
import { createLog, type Log } from './log.ts';
import { isSqlDriverLoaded } from './sql-watch.ts';
import type { ShardStatus } from './status.ts';
import { statusControl, type TrimOrder, trimControl } from './status-messages.ts';
import {
  reviveServerError,
  type ServerThreadData,
  serverTables,
  serviceThread,
  storeDirectory,
} from './thread-data.ts';

/** The sink is told of new events at most this often. */
const outboxNoticeMs = 50;
/** Entries that are kept free for reports when the sink is behind. */
const outboxReserve = outboxEntryLimit / 10;
const nanosPerMs = 1e6;

/** The entry of a fleet shard: the agents' endpoint and the envoys of its connections. */
async function startShard(): Promise<void> {
  const bootstrap = threadBootstrap();
  const { thread, topology } = bootstrap;
  const data = bootstrap.data as ServerThreadData;
  const { layout, config } = data;
  const ports = nodePorts();
  const log = createLog({ ...config.log, thread });
  const opened = await openLmdbStore({ directory: storeDirectory(layout, thread), ports });
  if (opened.recovery) log.warn(opened.recovery, 'the store was damaged and starts empty');
  const { store } = opened;
  // A broken store cannot be used any more; the thread that replaces this one repairs it.
  store.onFailure((failure) => {
    throw failure;
  });
  const outbox = await Outbox.open(store);
  const others = topology.threads.filter(({ name, role }) => role !== 'edge' && name !== thread);
  const stores = peerStores(
    others.map(({ name }) => name),
    (name) => storeDirectory(layout, name),
    ports.clock,
  );
  const service = stores[serviceThread];
  if (service === undefined) throw new Error(`the topology has no ${serviceThread} thread`);
  const policy = createPolicyView(service, serverTables, ports.clock);
  let endpoint: Endpoint | undefined;
  let mailboxRefusals = 0;
  let noticed = false;
  const status = shardStatus(thread, () => ({ endpoint, mailboxRefusals, outbox }));
  const { system } = await joinSystem({
    store,
    stores,
    outbox,
    ports,
    reviveError: reviveServerError,
    kinds: [
      envoyKind({
        policy,
        verifier: new RequestVerifier(sodiumVerifier),
        signer: sodiumSigner(seedOf(data.bundleSigningKey)),
        storeId: store.storeId,
        intervalMs: config.checkin.intervalMs,
        bundleMaxAgeMs: config.checkin.bundleMaxAgeMs,
        mayTell: () => outbox.entries < outboxEntryLimit - outboxReserve,
        disconnect: (envoyId) => endpoint?.disconnect(envoyId),
      }),
      refusalKind,
    ],
    onEmitted: () => {
      if (noticed) return;
      noticed = true;
      ports.clock.after(outboxNoticeMs, () => {
        noticed = false;
        system.tell(sinkAddress(), 'outboxReady', { origin: thread });
      });
    },
    onEvent: (event) => {
      if (event.type === 'mailbox.refused') mailboxRefusals += event.count ?? 1;
      log.warn(event, event.type);
    },
    onClaimLost: ({ kind, key }) => {
      if (kind === 'envoy') endpoint?.disconnect(key);
    },
    onControl: (name, body) => {
      if (name === statusControl) return status();
      if (name !== trimControl) return undefined;
      const { storeId, through } = body as TrimOrder;
      return storeId === store.storeId ? outbox.trim(through) : undefined;
    },
    onStart: async (joined) => {
      await joined.claim(refusalAddress(thread));
      endpoint = openEndpoint(joined, data, log, policy);
      const port = await endpoint.listen(config.server.grpcListen.host, data.grpcPort);
      log.debug({ port }, 'listening');
      // Events that an earlier life of this shard left behind.
      if (outbox.entries > 0) joined.tell(sinkAddress(), 'outboxReady', { origin: thread });
    },
    onStop: async (leaving) => {
      await endpoint?.drain(config.server.drainTimeoutMs);
      await settleOutbox(leaving, outbox, config.server.drainTimeoutMs);
      endpoint?.close();
    },
  });
}

/** Lets the sink take over what it can before this shard stops; the rest waits for the next start. */
async function settleOutbox(system: ThreadSystem, outbox: Outbox, limitMs: number): Promise<void> {
  const { clock } = system.ports;
  const untilMs = clock.monotonicMs() + limitMs;
  const origin = system.name;
  while (outbox.entries > 0 && clock.monotonicMs() < untilMs) {
    const deadlineMs = Math.max(1, untilMs - clock.monotonicMs());
    const asked = system.ask(sinkAddress(), 'outboxReady', { origin }, { deadlineMs });
    await asked.catch(() => undefined);
    await new Promise<void>((resolve) => {
      clock.after(outboxNoticeMs, resolve);
    });
  }
}

function openEndpoint(
  system: ThreadSystem,
  { tls, bundlePublicKey, config }: ServerThreadData,
  log: Log,
  policy: PolicyView,
): Endpoint {
  return createEndpoint(system, {
    thread: system.name,
    identity: {
      certificate: tls.certificateChain,
      key: tls.privateKey,
      authority: tls.authority,
      ticketKeys: tls.ticketKeys,
    },
    bundlePublicKey,
    intervalMs: config.checkin.intervalMs,
    connectionLimit: config.limits.connectionsPerShard,
    handshakesPerSecond: config.limits.handshakesPerSecond,
    onConnection: (envoyId) => policy.forget(envoyId),
    onRefusal: (code, details) => log.debug({ code, ...details }, 'refused'),
    ...(log.isLevelEnabled('debug')
      ? { onServed: (method, details) => log.debug(details, `served ${method}`) }
      : {}),
  });
}

function shardStatus(
  thread: string,
  read: () => { endpoint: Endpoint | undefined; mailboxRefusals: number; outbox: Outbox },
): () => ShardStatus | undefined {
  const delay = monitorEventLoopDelay({ resolution: 50 });
  delay.enable();
  return () => {
    const { endpoint, mailboxRefusals, outbox } = read();
    if (endpoint === undefined) return undefined;
    const milliseconds = (nanos: number) => Math.round(nanos / 1000) / (nanosPerMs / 1000);
    const eventLoopDelay = {
      p50: milliseconds(delay.percentile(50)),
      p99: milliseconds(delay.percentile(99)),
      max: milliseconds(delay.max),
    };
    delay.reset();
    return {
      ...endpoint.counters(),
      thread,
      mailboxRefusals,
      sqlStatements: sqlStatementCount(),
      sqlDriverLoaded: isSqlDriverLoaded(),
      eventLoopDelay,
      outboxEntries: outbox.entries,
    };
  };
}

/** The 32 bytes of an Ed25519 private key in PKCS#8. */
function seedOf(pem: string): Uint8Array {
  return createPrivateKey(pem).export({ format: 'der', type: 'pkcs8' }).subarray(-32);
}

await startShard();
