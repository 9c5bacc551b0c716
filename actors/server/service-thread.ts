import { guardLayout } from '../../agent/policy/guardrails.ts';
import type { AnyKind } from '../../runtime/host.ts';
import type { LmdbStore } from '../../runtime/lmdb-store.ts';
import { peerStores } from '../../runtime/peer-stores.ts';
import { nodePorts } from '../../runtime/ports/node-ports.ts';
import type { Ports } from '../../runtime/ports/ports.ts';
import { openLmdbStore } from '../../runtime/recovery.ts';
import type { ThreadSystem } from '../../runtime/system.ts';
import { joinSystem, type ThreadBootstrap } from '../../runtime/thread.ts';
import { EventFeed } from '../events/feed.ts';
import { type LiveEvent, liveEventsControl } from '../events/messages.ts';
import { planKind } from '../plan/actor.ts';
import { sinkKind } from '../sink/actor.ts';
import { sinkAddress } from '../sink/messages.ts';
import { SinkWriter, type SinkWriterOptions } from '../sink/writer.ts';
import { tracedKind } from '../tracing/traced-kind.ts';
import { auditServices, recoverAudit } from './audit-services.ts';
import { backupServices } from './backup-services.ts';
import { keepCompiledCode } from './compile-cache.ts';
import { sodiumVerifier } from './crypto/sodium.ts';
import { doctorServices } from './doctor-services.ts';
import { FleetRecorder } from './fleet-recorder.ts';
import { createLog, type Log } from './log.ts';
import { OutboxSources } from './outbox-sources.ts';
import { rebuildIdentities } from './rebuild.ts';
import { openSecretStore, probeSecretStore, recoverSecrets } from './secret-services.ts';
import { recoverPolicy, serviceKinds } from './service-kinds.ts';
import { announceSetup } from './setup-code.ts';
import type { SinkStatus } from './status.ts';
import { serviceReadyControl, statusControl, trimControl } from './status-messages.ts';
import {
  rehearsalTables,
  reviveServerError,
  type ServerThreadData,
  serverTables,
  storeDirectory,
  webThread,
} from './thread-data.ts';
import { ThreadMeter } from './thread-figures.ts';
import { threadTracer } from './thread-tracer.ts';

const trimDeadlineMs = 10_000;
const liveEventsDeadlineMs = 10_000;

/**
 * The service host: the sink, enrollment and publishing live here, around the store with the policy
 * tables. Resolves when it was stopped in order.
 */
export async function host(bootstrap: ThreadBootstrap): Promise<void> {
  const { thread, topology } = bootstrap;
  const data = bootstrap.data as ServerThreadData;
  const { layout, config } = data;
  const ports = nodePorts();
  const log = createLog({ ...config.log, thread });
  const shards = topology.threads.filter(({ role }) => role === 'fleet').map(({ name }) => name);
  const directoryOf = (name: string) => storeDirectory(layout, name);
  const meter = new ThreadMeter();
  const sources = new OutboxSources(new Map(shards.map((name) => [name, directoryOf(name)])));
  let system: ThreadSystem | undefined;
  let recorder: FleetRecorder | undefined;
  const written = openFeed(ports, () => system);
  const database = { ...config.database, written };
  const { store, writer } = await openStores(directoryOf(thread), database, ports, log);
  let becomeReady = (): void => undefined;
  const ready = new Promise<void>((resolve) => {
    becomeReady = resolve;
  });
  const wake = (origin: string) => system?.tell(sinkAddress(), 'outboxReady', { origin });
  const sink = sinkKind({
    writer,
    outbox: (origin) => sources.of(origin),
    wake,
    trim: (origin, storeId, through) => trimOutbox(system, origin, { storeId, through }),
    log: (level, message, fields) => log[level](fields, message),
  });
  const secrets = await openSecretStore(config.secrets, ports);
  const peers = peerStores(shards, directoryOf, ports.clock);
  const services = serviceKinds(data, ports, {
    secrets,
    shards: Object.values(peers),
    accounts: writer.accounts,
    reportedVersion: (most) => writer.reportedVersion(most),
  });
  keepCompiledCode(ports.clock);
  const kinds = [sink, ...ownKinds(data, writer, ports, log, () => system), ...services];
  const tracer = threadTracer(config, ports, () => system);
  const joined = await joinSystem(
    {
      store,
      stores: peers,
      ports,
      reviveError: reviveServerError,
      kinds: tracer === undefined ? kinds : kinds.map((kind) => tracedKind(tracer, kind)),
      onControl: (name) => {
        if (name === serviceReadyControl) return ready;
        if (name !== statusControl) return undefined;
        const policyVersion = store.get(serverTables.current, 'current')?.version ?? 0;
        const service = { figures: meter.read(), store: store.usage };
        return { sink: sinkStatus(sources, ports.clock.nowMs()), service, policyVersion };
      },
      onStart: async (started) => {
        system = started;
        await recover(started, log);
        becomeReady();
        recorder = new FleetRecorder(started, shards);
      },
    },
    bootstrap,
  );
  void probeSecretStore(secrets, log);
  // What shards of an earlier life left in their outboxes.
  for (const origin of shards) wake(origin);
  await joined.stopped;
  recorder?.stop();
  sources.close();
  writer.close();
}

function trimOutbox(
  system: ThreadSystem | undefined,
  origin: string,
  body: { storeId: number; through: number },
): void {
  system?.request(origin, trimControl, body, trimDeadlineMs).catch(() => undefined);
}

/** What the disposable state lacks, before shards serve. */
async function recover(system: ThreadSystem, log: Log): Promise<void> {
  await recoverPolicy(system, log);
  await recoverSecrets(system, log);
  await recoverAudit(system, log);
  await announceSetup(system, log);
}

/** What was written goes to the web thread, for people who watch. */
function openFeed(
  ports: Ports,
  system: () => ThreadSystem | undefined,
): (events: readonly LiveEvent[]) => void {
  const life = Buffer.from(ports.random.bytes(8)).toString('hex');
  const feed = new EventFeed(life, ports.clock, async (batch) =>
    system()?.request(webThread, liveEventsControl, batch, liveEventsDeadlineMs),
  );
  return (events) => feed.tell(events);
}

/** Those that read or copy the database themselves. */
function ownKinds(
  data: ServerThreadData,
  writer: SinkWriter,
  ports: Ports,
  log: Log,
  systemOf: () => ThreadSystem | undefined,
): AnyKind[] {
  return [
    auditServices(data, writer, log),
    plansOf(data, writer),
    backupServices(data, writer, ports, systemOf),
    doctorServices(data),
  ];
}

/** What plans a stack against what is live. */
function plansOf({ layout, config }: ServerThreadData, writer: SinkWriter): AnyKind {
  return planKind({
    stackDirectory: layout.stacksDirectory,
    tables: serverTables,
    planTables: rehearsalTables,
    crypto: sodiumVerifier,
    layout: guardLayout([layout.root]),
    facts: writer,
    intervalMs: config.checkin.intervalMs,
    approvalRequired: config.publish.approvalRequired,
  });
}

/** This thread's store and the database, with the identities of the one in the other. */
async function openStores(
  directory: string,
  database: SinkWriterOptions,
  ports: Ports,
  log: Log,
): Promise<{ store: LmdbStore; writer: SinkWriter }> {
  const opened = await openLmdbStore({ directory, ports });
  if (opened.recovery) log.warn(opened.recovery, 'the store was damaged and starts empty');
  const { store } = opened;
  store.onFailure((failure) => {
    throw failure;
  });
  const writer = new SinkWriter(database);
  await writer.open();
  const rebuilt = await rebuildIdentities(store, writer);
  if (rebuilt > 0) log.info({ envoys: rebuilt }, 'identities restored');
  return { store, writer };
}

function sinkStatus(sources: OutboxSources, nowMs: number): SinkStatus {
  const { events, oldestMs } = sources.waiting();
  return { waitingEvents: events, lagMs: oldestMs === undefined ? 0 : nowMs - oldestMs };
}
