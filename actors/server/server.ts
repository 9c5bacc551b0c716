import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { makeUuid, uuidToText } from '../../agent/protocol/uuid.ts';
import type { RuntimeEvent } from '../../runtime/envelope.ts';
import { nodePorts } from '../../runtime/ports/node-ports.ts';
import { type Runtime, startRuntime } from '../../runtime/runtime.ts';
import type { AuditEventTypeName } from '../audit/event-types.ts';
import { sinkAddress } from '../sink/messages.ts';
import { tellRestored } from './backup/restored-mark.ts';
import { resumeRestore } from './backup/swap.ts';
import { keepCompiledCode } from './compile-cache.ts';
import type { ConfigOverride } from './config/load.ts';
import { ticketKeysOf } from './crypto/ticket-keys.ts';
import { machineEnvironment } from './home/environment.ts';
import { makeDirectory } from './home/files.ts';
import { openHome, type ServerHome } from './home/home.ts';
import { homeLayout } from './home/layout.ts';
import { lockHome } from './home/lock.ts';
import { createLog, type Log } from './log.ts';
import { type PortReservation, reservePort } from './port-reservation.ts';
import { removeRunFile, writeRunFile } from './run-file.ts';
import { openSecretStore } from './secret-services.ts';
import { apiListeningControl } from './status-messages.ts';
import {
  reviveServerError,
  type ServerThreadData,
  serviceThread,
  webThread,
} from './thread-data.ts';
import { serverVersion } from './version.ts';

const auditDeadlineMs = 5_000;
/** Service kinds, all on the one host that owns the policy tables. */
const serviceKindNames = [
  'sink',
  'audit',
  'access',
  'backup',
  'doctor',
  'accounts',
  'login',
  'federation',
  'fleet',
  'upload',
  'releases',
  'explain',
  'plan',
  'enrollment',
  'secrets',
  'secret-sealer',
  'publish',
  'publish-writer',
  'rollout',
];

export interface ServerOptions {
  readonly home: string;
  readonly configFile?: string;
  readonly overrides: readonly ConfigOverride[];
}

export interface RunningServer {
  readonly grpcPort: number;
  readonly apiPort: number;
  readonly log: Log;
  /** Ends a thread as a crash would; it is replaced. */
  kill(thread: string): Promise<void>;
  /** Finishes what is under way, stores everything and ends the threads. */
  stop(): Promise<void>;
}

/** Modules are started by URL; compiled ones end otherwise than their sources. */
const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const entry = (path: string): URL => new URL(`${path}.${extension}`, import.meta.url);

/** Opens the home, takes its lock and starts every thread of the server. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const ports = nodePorts();
  const startedAtMs = ports.clock.nowMs();
  const layout = homeLayout(options.home);
  await makeDirectory(layout.root);
  const lock = lockHome(layout, process.pid);
  try {
    const resumed = await resumeRestore(layout);
    const home = await openHome(
      {
        home: options.home,
        create: true,
        overrides: options.overrides,
        ...(options.configFile === undefined ? {} : { configFile: options.configFile }),
      },
      machineEnvironment(ports.clock, ports.random),
    );
    const log = createLog({ ...home.config.log, thread: 'main' });
    for (const line of home.made) log.info(line);
    if (resumed !== undefined) log.warn(`a restore that was interrupted was ${resumed}`);
    // Here, so that a key that others may read ends the start with its code.
    await openSecretStore(home.config.secrets, ports);
    removeRunFile(layout);
    const { grpcListen } = home.config.server;
    const reserved = await reservePort(grpcListen.host, grpcListen.port);
    const data = threadData(home, { startedAtMs, grpcPort: reserved.port });
    return await startThreads(data, log, reserved, () => lock.release());
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function startThreads(
  data: ServerThreadData,
  log: Log,
  reserved: PortReservation,
  released: () => void,
): Promise<RunningServer> {
  const { layout, config, version, startedAtMs, grpcPort } = data;
  let apiPort = data.apiListen.port;
  let runtime: Runtime | undefined;
  const shards = config.runtime.shards === 0 ? availableParallelism() : config.runtime.shards;
  const web = entry('../../admin/api/web-thread');
  runtime = await startRuntime({
    shards,
    shardEntry: entry('./fleet-thread'),
    serviceHosts: [
      { name: serviceThread, entry: entry('./service-thread'), kinds: serviceKindNames },
    ],
    edges: existsSync(fileURLToPath(web)) ? [{ name: webThread, entry: web }] : [],
    jobThreads: config.runtime.serviceThreads,
    workerData: data,
    startTogether: true,
    reviveError: reviveServerError,
    onEvent: (event) => report(event, log, runtime),
    onControl: (name, body) => {
      if (name === apiListeningControl) apiPort = (body as { port: number }).port;
      return undefined;
    },
  }).finally(() => reserved.release());
  await audit(runtime, 'server.started', { version, shards });
  const running = runtime;
  await tellRestored(layout, (details) => audit(running, 'backup.restored', details), log);
  await writeRunFile(layout, { pid: process.pid, grpcPort, apiPort, startedAt: startedAtMs });
  keepCompiledCode(runtime.system.ports.clock);
  const elapsedMs = Date.now() - startedAtMs;
  log.info(`vigosrv ${version} is ready after ${elapsedMs} ms`);
  log.info({ port: grpcPort, shards }, `agents connect to port ${grpcPort}`);
  log.info({ port: apiPort }, `people connect to https://localhost:${apiPort}`);
  return {
    grpcPort,
    apiPort,
    log,
    kill: async (thread) => runtime?.kill(thread),
    stop: async () => {
      log.info('stopping: finishing what is under way');
      if (runtime) await audit(runtime, 'server.stopped', { version });
      await runtime?.stop();
      removeRunFile(layout);
      released();
      log.info('stopped');
    },
  };
}

function threadData(
  home: ServerHome,
  { startedAtMs, grpcPort }: { startedAtMs: number; grpcPort: number },
): ServerThreadData {
  return {
    layout: home.layout,
    config: home.config,
    version: serverVersion(),
    startedAtMs,
    grpcPort,
    apiListen: home.config.server.apiListen,
    tls: {
      certificateChain: home.serverCertificate.chainPem,
      privateKey: home.serverCertificate.privateKeyPem,
      authority: home.certificateAuthority.certificatePem,
      authorityKey: home.caKeyPem,
      ticketKeys: ticketKeysOf(home.caKeyPem, startedAtMs),
    },
    bundleSigningKey: home.bundleSigningKeyPem,
    bundlePublicKey: home.bundlePublicKey,
    adminTokenHash: home.adminTokenHash,
  };
}

/** Events of a healthy server: machines that leave, move or are told something after they left. */
const everyday: ReadonlySet<RuntimeEvent['type']> = new Set([
  'thread.started',
  'claim.lost',
  'tell.dropped',
]);

/** Every thread's events arrive here. */
function report(event: RuntimeEvent, log: Log, runtime: Runtime | undefined): void {
  const { type, thread, ...details } = event;
  log[everyday.has(type) ? 'debug' : 'warn']({ ...details, from: thread }, type);
  if (event.type === 'thread.replaced' && runtime) {
    audit(runtime, 'server.thread_replaced', { thread: event.thread }).catch(() => undefined);
  }
}

async function audit(
  { system }: Runtime,
  type: AuditEventTypeName,
  details: Readonly<Record<string, string | number>>,
): Promise<void> {
  const event = {
    id: uuidToText(makeUuid(Uint8Array.from(system.ports.random.bytes(16)))),
    atMs: system.ports.clock.nowMs(),
    type,
    actor: 'server',
    subject: 'server',
    details,
  };
  const payload = { records: [], audit: [event] };
  await system.ask(sinkAddress(), 'write', payload, { deadlineMs: auditDeadlineMs });
}
