import { reportBodyLimit } from '../../agent/protocol/limits.ts';
import { RequestVerifier } from '../../agent/protocol/request.ts';
import type { AnyKind } from '../../runtime/host.ts';
import type { LmdbStore } from '../../runtime/lmdb-store.ts';
import { Outbox, outboxEntryLimit } from '../../runtime/outbox.ts';
import { type PeerStore, peerStores, waitForPeers } from '../../runtime/peer-stores.ts';
import { nodePorts } from '../../runtime/ports/node-ports.ts';
import type { Ports } from '../../runtime/ports/ports.ts';
import { openLmdbStore } from '../../runtime/recovery.ts';
import { defaultSoftFlushMs, type ThreadSystem } from '../../runtime/system.ts';
import { joinSystem, threadBootstrap } from '../../runtime/thread.ts';
import { envoyKind } from '../envoy/actor.ts';
import { AuditView } from '../envoy/audit-view.ts';
import { LastSeen } from '../envoy/last-seen.ts';
import { createPolicyView, type PolicyView } from '../envoy/policy-view.ts';
import { createSecretView, type SecretView } from '../envoy/secret-view.ts';
import { Silence } from '../envoy/silence.ts';
import { UpdateView } from '../envoy/update-view.ts';
import { createRehearsalView, type RehearsalView } from '../plan/rehearsal-view.ts';
import { sinkAddress } from '../sink/messages.ts';
import { outboxWriterAddress, outboxWriterKind } from '../sink/outbox-writer.ts';
import { sqlStatementCount } from '../sink/statement-counter.ts';
import { keepCompiledCode } from './compile-cache.ts';
import { sodiumPemSigner, sodiumVerifier } from './crypto/sodium.ts';
import type { Pause } from './endpoint/coalescing.ts';
import { createEndpoint, type Endpoint } from './endpoint/endpoint.ts';
import { fleetCountersControl } from './fleet-counters.ts';
import { createLog, type Log } from './log.ts';
import { nodeReleaseParts } from './node-release-files.ts';
import { isSqlDriverLoaded } from './sql-watch.ts';
import type { ShardStatus } from './status.ts';
import {
  serviceReadyControl,
  statusControl,
  type TrimOrder,
  trimControl,
} from './status-messages.ts';
import {
  auditLogTables,
  rehearsalTables,
  releaseRollouts,
  reviveServerError,
  type ServerThreadData,
  secretEpochs,
  serverTables,
  serviceThread,
  storeDirectory,
} from './thread-data.ts';
import { ThreadMeter } from './thread-figures.ts';
import { threadTracer } from './thread-tracer.ts';

/** How long after an event the sink is told of it. */
const outboxNoticeMs = 50;
/**
 * The sink is told at most this often: a look at an outbox costs it a transaction with a flush, and the
 * shard another, for as many events as there are.
 */
const outboxNoticeEveryMs = 250;
/** See `SystemOptions`: a report waits for it, and nobody waits for the answer to a report. */
const commitGatherMs = 20;
/** Within this every other thread has its store open, however much there is to check. */
const peersDeadlineMs = 20_000;
/** Within this the service host brings identities and policy into its store. */
const serviceDeadlineMs = 55_000;
/** What a crash may lose of the newest sequences and times. */
const softFlushMsMax = 5_000;
/** Entries that are kept free for reports when the sink is behind. */
const outboxReserve = outboxEntryLimit / 10;

/** What stands before the shard's system is wired. */
interface ShardParts {
  readonly thread: string;
  readonly data: ServerThreadData;
  readonly ports: Ports;
  readonly log: Log;
  readonly store: LmdbStore;
  readonly outbox: Outbox;
  /** Of the other threads. */
  readonly stores: Readonly<Record<string, PeerStore>>;
  readonly policy: PolicyView;
  readonly secrets: SecretView;
  readonly rehearsals: RehearsalView;
  readonly updates: UpdateView;
  readonly audit: AuditView;
  readonly silence: Silence;
  readonly lastSeen: LastSeen;
}

/** The entry of a fleet shard: the agents' endpoint and the envoys of its connections. */
async function openShard(): Promise<ShardParts> {
  const { thread, topology, data: given } = threadBootstrap();
  const data = given as ServerThreadData;
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
  const others = topology.threads.filter(({ name, role }) => role !== 'edge' && name !== thread);
  const stores = peerStores(
    others.map(({ name }) => name),
    (name) => storeDirectory(layout, name),
    ports.clock,
  );
  const service = stores[serviceThread];
  if (service === undefined) throw new Error(`the topology has no ${serviceThread} thread`);
  const policy = createPolicyView(service, serverTables, ports.clock);
  const secrets = createSecretView({
    store: service,
    table: secretEpochs,
    document: (root) => policy.document(root),
    clock: ports.clock,
  });
  const rehearsals = createRehearsalView(service, rehearsalTables, ports.clock);
  const audit = new AuditView(service, auditLogTables, ports.clock);
  const updates = openUpdates(service, data, ports);
  const outbox = await Outbox.open(store);
  const shards = topology.threads.filter(({ role }) => role === 'fleet').map(({ name }) => name);
  const silence = new Silence({
    thread,
    shards,
    ports,
    store,
    peers: shards.flatMap((name) => stores[name] ?? []),
    service,
    tables: serverTables,
    intervalMs: config.checkin.intervalMs,
    mayTell: () => mayTell(outbox),
  });
  const views = { policy, secrets, rehearsals, audit, updates, silence };
  const lastSeen = new LastSeen(ports.clock);
  return { thread, data, ports, log, store, stores, ...views, lastSeen, outbox };
}

function mayTell(outbox: Outbox): boolean {
  return outbox.hasFewerThan(outboxEntryLimit - outboxReserve);
}

function openUpdates(
  service: PeerStore,
  { config, layout }: ServerThreadData,
  { clock }: Ports,
): UpdateView {
  const { downloads, bytesPerSecond } = config.releases;
  return new UpdateView({
    store: service,
    table: releaseRollouts,
    clock,
    limits: { places: downloads, bytesPerSecond },
    readPart: nodeReleaseParts(layout.agentsDirectory),
  });
}

/**
 * How late `last seen` and the sequence of an envoy reach the store, where other threads look for it: well
 * within the silence that counts as offline. Each write copies the pages around it, so the more
 * envoys share one, the less the disk has to take.
 */
function softFlushMs(intervalMs: number): number {
  return Math.min(softFlushMsMax, Math.max(defaultSoftFlushMs, intervalMs / 2));
}

class Shard {
  readonly #parts: ShardParts;
  readonly #meter = new ThreadMeter();
  #system: ThreadSystem | undefined;
  #endpoint: Endpoint | undefined;
  #mailboxRefusals = 0;
  #noticed = false;
  #noticedAtMs = Number.NEGATIVE_INFINITY;

  constructor(parts: ShardParts) {
    this.#parts = parts;
  }

  async join(): Promise<void> {
    const { store, stores, outbox, ports } = this.#parts;
    await joinSystem({
      store,
      stores,
      outbox,
      ports,
      softFlushMs: softFlushMs(this.#parts.data.config.checkin.intervalMs),
      commitGatherMs,
      reviveError: reviveServerError,
      kinds: [this.#envoys(), outboxWriterKind],
      onEmitted: () => this.#notice(),
      onEvent: (event) => {
        if (event.type === 'mailbox.refused') this.#mailboxRefusals += event.count ?? 1;
      },
      onClaimLost: ({ kind, key }) => {
        if (kind !== 'envoy') return;
        this.#parts.silence.watch.forget(key);
        this.#endpoint?.disconnect(key);
      },
      onControl: (name, body) => this.#control(name, body),
      onStart: (system) => this.#start(system),
      onStop: (system) => this.#stop(system),
    });
  }

  #envoys(): AnyKind {
    const { policy, secrets, rehearsals, audit, updates, store, outbox, data } = this.#parts;
    const { silence, lastSeen } = this.#parts;
    const { intervalMs, bundleMaxAgeMs, clockSkewToleranceMs } = data.config.checkin;
    return envoyKind({
      policy,
      secrets,
      rehearsals,
      audit,
      updates,
      verifier: new RequestVerifier(sodiumVerifier, clockSkewToleranceMs),
      clockSkewMs: clockSkewToleranceMs,
      signer: sodiumPemSigner(data.bundleSigningKey),
      storeId: store.storeId,
      intervalMs,
      bundleMaxAgeMs,
      mayTell: () => mayTell(outbox),
      watch: silence.watch,
      lastSeen,
      disconnect: (envoyId) => this.#endpoint?.disconnect(envoyId),
    });
  }

  async #start(system: ThreadSystem): Promise<void> {
    const { thread, data, log, policy, outbox, stores, ports, silence, lastSeen } = this.#parts;
    this.#system = system;
    await system.claim(outboxWriterAddress(thread));
    // An envoy's record may stand in any of them; without it the envoy would look new.
    const late = await waitForPeers(stores, ports.clock, peersDeadlineMs);
    if (late.length > 0) log.warn({ late }, 'other threads have not opened their stores');
    // Before that, an enrolled machine would be told that nobody knows it.
    await system.request(serviceThread, serviceReadyControl, undefined, serviceDeadlineMs);
    const pause = (delayMs: number) => this.#meter.pause(delayMs);
    this.#endpoint = openEndpoint(system, data, log, policy, pause);
    const port = await this.#endpoint.listen(data.config.server.grpcListen.host, data.grpcPort);
    log.debug({ port }, 'listening');
    silence.start(system);
    lastSeen.start(system);
    keepCompiledCode(ports.clock);
    // Events that an earlier life of this shard left behind.
    if (outbox.entries > 0) this.#notice();
  }

  async #stop(system: ThreadSystem): Promise<void> {
    const { drainTimeoutMs } = this.#parts.data.config.server;
    this.#parts.silence.stop();
    this.#parts.lastSeen.stop();
    await this.#endpoint?.drain(drainTimeoutMs);
    await settleOutbox(system, this.#parts.outbox, drainTimeoutMs);
    this.#endpoint?.close();
  }

  #notice(): void {
    if (this.#noticed) return;
    this.#noticed = true;
    const { thread, ports } = this.#parts;
    const { clock } = ports;
    const earliestMs = this.#noticedAtMs + outboxNoticeEveryMs - clock.monotonicMs();
    clock.after(Math.max(outboxNoticeMs, earliestMs), () => {
      this.#noticed = false;
      this.#noticedAtMs = clock.monotonicMs();
      this.#system?.tell(sinkAddress(), 'outboxReady', { origin: thread });
    });
  }

  #control(name: string, body: unknown): unknown {
    if (name === statusControl) return this.#status();
    if (name === fleetCountersControl) return this.#endpoint?.fleetCounters();
    if (name !== trimControl) return undefined;
    const { storeId, through } = body as TrimOrder;
    const { store, outbox } = this.#parts;
    return storeId === store.storeId ? outbox.trim(through) : undefined;
  }

  #status(): ShardStatus | undefined {
    const { thread, outbox, store } = this.#parts;
    if (this.#endpoint === undefined) return undefined;
    return {
      ...this.#endpoint.counters(),
      thread,
      mailboxRefusals: this.#mailboxRefusals,
      sqlStatements: sqlStatementCount(),
      sqlDriverLoaded: isSqlDriverLoaded(),
      figures: this.#meter.read(),
      store: store.usage,
      outboxEntries: outbox.entries,
    };
  }
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
  pause: Pause,
): Endpoint {
  const tracer = threadTracer(config, system.ports, () => system);
  const { checkInsOneIn } = config.tracing;
  return createEndpoint(system, {
    thread: system.name,
    identity: {
      certificate: tls.certificateChain,
      key: tls.privateKey,
      authority: tls.authority,
      ticketKeys: tls.ticketKeys,
    },
    bundlePublicKey,
    releasePublicKeys: config.releases.publicKeys,
    intervalMs: config.checkin.intervalMs,
    reportLimit: Math.min(config.limits.reportBytes, reportBodyLimit),
    connectionLimit: config.limits.connectionsPerShard,
    handshakesPerSecond: config.limits.handshakesPerSecond,
    tlsRecords: config.runtime.tlsRecords,
    coalescing: { delayMsMax: config.runtime.coalesceMs, pause },
    onConnection: (envoyId) => policy.forget(envoyId),
    onRefusal: (code, details) => log.debug({ code, ...details }, 'refused'),
    ...(log.isLevelEnabled('debug')
      ? { onServed: (method, details) => log.debug(details, `served ${method}`) }
      : {}),
    ...(tracer === undefined ? {} : { tracing: { tracer, checkInsOneIn } }),
  });
}

await new Shard(await openShard()).join();
