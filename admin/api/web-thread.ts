/**
 * The entry of vigosrv's web thread: REST on TLS. It hosts no actors; it asks them, and reads the
 * database through a connection that cannot write.
 */
import { X509Certificate } from 'node:crypto';
import { hostname as machineName } from 'node:os';
import { accessAddress } from '../../actors/access/messages.ts';
import { accountsAddress } from '../../actors/accounts/messages.ts';
import { type LiveBatch, liveEventsControl } from '../../actors/events/messages.ts';
import { publishQueryAddress } from '../../actors/publish/messages.ts';
import { rolloutAddress } from '../../actors/rollout/messages.ts';
import { keepCompiledCode } from '../../actors/server/compile-cache.ts';
import { createLog } from '../../actors/server/log.ts';
import { apiListeningControl, collectStatus } from '../../actors/server/status-messages.ts';
import {
  reviveServerError,
  type ServerThreadData,
  serviceThread,
} from '../../actors/server/thread-data.ts';
import { SinkQueries } from '../../actors/sink/queries.ts';
import { type SpanBatch, spansControl } from '../../actors/tracing/messages.ts';
import { nodePorts } from '../../runtime/ports/node-ports.ts';
import type { ThreadSystem } from '../../runtime/system.ts';
import { joinSystem, threadBootstrap } from '../../runtime/thread.ts';
import { mainThread } from '../../runtime/topology.ts';
import { pageTable } from '../web/page-table.ts';
import type { Backend, StatusView, Views } from './backend.ts';
import { backupFiles } from './backup-files.ts';
import { findCredentials } from './credentials.ts';
import { RateGuard } from './http/rate-guard.ts';
import { ratePoliciesOf } from './http/rate-limit.ts';
import { refusalResponse } from './http/respond.ts';
import type { HttpEdge } from './http-edge.ts';
import { createInstallSource } from './install/source.ts';
import { lastUsed } from './last-used.ts';
import { startFiguresPulse } from './live/figures-pulse.ts';
import { EventHub } from './live/hub.ts';
import { LoginChallenges } from './login/challenges.ts';
import { PendingLogins } from './login/oidc/pending-login.ts';
import type { OpenIdProvider } from './login/oidc/provider.ts';
import type { LoginServices } from './login/services.ts';
import { ApiMeter } from './metrics/api-meter.ts';
import { metricsText } from './metrics/metrics.ts';
import { readProcessFigures } from './metrics/process-figures.ts';
import { openNodeEdge } from './node-edge.ts';
import type { EnvoyFacts } from './policy-decision.ts';
import { refusals } from './refusals.ts';
import { routeTable } from './route-table.ts';
import { Router } from './router.ts';
import { openTracing } from './tracing/tracing.ts';
import { viewsOf } from './views.ts';

const tellMainDeadlineMs = 5_000;
/** Prometheus gives up after ten seconds by default. */
const metricsDeadlineMs = 3_000;

const bootstrap = threadBootstrap();
const data = bootstrap.data as ServerThreadData;
const ports = nodePorts();
const log = createLog({ ...data.config.log, thread: bootstrap.thread });
const shards = bootstrap.topology.threads.filter(({ role }) => role === 'fleet');
const queries = new SinkQueries(data.layout.database);
const localCredential = {
  name: 'local',
  role: 'admin',
  tokenSha256: Buffer.from(data.adminTokenHash).toString('hex'),
} as const;
const meter = new ApiMeter(ports.clock);
const live = new EventHub(ports.clock, factsOf);
const certificates = {
  server: endOf(data.tls.certificateChain),
  authority: endOf(data.tls.authority),
};
const authority = new X509Certificate(data.tls.authority).fingerprint256
  .replaceAll(':', '')
  .toLowerCase();
const login: LoginServices = {
  challenges: new LoginChallenges({
    server: data.config.server.hostname || machineName(),
    authority,
    nowMs: () => ports.clock.nowMs(),
  }),
  provider: await openProvider(),
  pendings: new PendingLogins(),
};
const tracing = await openTracing(
  { ...data, instance: authority },
  ports,
  (level, message, fields) => log[level](fields, message),
);
let edge: HttpEdge | undefined;
const { hostname, grpcListen, apiListen } = data.config.server;
const install = createInstallSource({
  directory: data.layout.agentsDirectory,
  certificateChain: data.tls.certificateChain,
  grpcPort: data.grpcPort,
  apiPort: () => edge?.port ?? data.apiListen.port,
  names: [hostname, grpcListen.host, apiListen.host, machineName()],
});

/** Of an envoy, for grants over some envoys. */
function factsOf(id: string): EnvoyFacts | undefined {
  const [envoy] = queries.findEnvoys(id);
  return envoy && { id, hostname: envoy.hostname, traits: () => queries.traits(id) };
}

/** The library is loaded only where server.yaml names a provider. */
async function openProvider(): Promise<OpenIdProvider | undefined> {
  const { oidc } = data.config;
  if (oidc.issuer === '') return undefined;
  const { OpenIdProvider } = await import('./login/oidc/provider.ts');
  return new OpenIdProvider(oidc, () => ports.clock.nowMs());
}

/** Of the first certificate in the text. */
function endOf(pem: string): number {
  return Date.parse(new X509Certificate(pem).validTo);
}

async function status(system: ThreadSystem): Promise<Omit<StatusView, 'envoys' | 'databaseBytes'>> {
  const names = shards.map(({ name }) => name);
  return {
    version: data.version,
    pid: process.pid,
    startedAtMs: data.startedAtMs,
    nowMs: ports.clock.nowMs(),
    grpcPort: data.grpcPort,
    apiPort: edge?.port ?? 0,
    ...(await collectStatus(system, names, serviceThread)),
  };
}

/** What an actor that is busy or gone would tell is left out. */
async function metrics(system: ThreadSystem, views: Views): Promise<string> {
  const given = { deadlineMs: metricsDeadlineMs };
  const [status, publish, rollout] = await Promise.all([
    views.status(),
    system.ask(publishQueryAddress(), 'status', {}, given).catch(() => undefined),
    system.ask(rolloutAddress(), 'status', {}, given).catch(() => undefined),
  ]);
  return metricsText({
    status,
    publish,
    rollout,
    fleet: queries.figures.read(ports.clock.nowMs()),
    process: readProcessFigures(data.layout.root),
    certificates,
    meter,
    live,
    traces: tracing?.queue,
  });
}

function backendOf(system: ThreadSystem): Backend {
  const views = viewsOf(queries, () => status(system), data.bundlePublicKey, certificates);
  return {
    ask: (to, type, payload, deadlineMs, traceparent) =>
      system.ask(to, type, payload, {
        deadlineMs,
        ...(traceparent === undefined ? {} : { traceparent }),
      }),
    tracing,
    metrics: () => metrics(system, views),
    nowMs: () => ports.clock.nowMs(),
    install,
    backups: backupFiles(data.layout.backupsDirectory),
    live,
    login,
    views,
    log: (level, message, fields) => log[level](fields, message),
  };
}

function tellUse(system: ThreadSystem, id: string, atMs: number, kind: 'token' | 'session'): void {
  if (kind === 'token') system.tell(accessAddress(), 'used', { id, atMs });
  else system.tell(accountsAddress(), 'sessionUsed', { sessionId: id, atMs });
}

async function open(system: ThreadSystem): Promise<void> {
  const router = new Router(
    routeTable,
    backendOf(system),
    {
      find: findCredentials(queries, localCredential, data.config.accounts.sessionIdleMs),
      nowMs: () => ports.clock.nowMs(),
      refused: refusals(
        (peerAddress, count) => system.tell(accessAddress(), 'refused', { peerAddress, count }),
        ports.clock,
      ),
      used: lastUsed((id, atMs, kind) => tellUse(system, id, atMs, kind), ports.clock),
    },
    meter,
    pageTable,
    new RateGuard(ports.clock, ratePoliciesOf(data.config.api)),
  );
  const tooLarge = 'a body has a limit; that of a stack is the largest';
  edge = await openNodeEdge({
    ...data.apiListen,
    certificatePem: data.tls.certificateChain,
    keyPem: data.tls.privateKey,
    bodyBytesMax: router.bodyBytesMax,
    handle: router.handle,
    handleUpgrade: router.handleUpgrade,
    tooLarge: refusalResponse('API_TOO_LARGE', tooLarge),
    malformed: refusalResponse,
  });
  startFiguresPulse(live, ports.clock, shards.length, () => status(system));
  keepCompiledCode(ports.clock);
  const listening = { port: edge.port };
  await system.request(mainThread, apiListeningControl, listening, tellMainDeadlineMs);
}

await joinSystem({
  kinds: [],
  ports,
  reviveError: reviveServerError,
  onControl: (name, body) => {
    if (name === liveEventsControl) live.take(body as LiveBatch);
    if (name === spansControl) tracing?.queue.take(body as SpanBatch);
  },
  onStart: open,
  onStop: async () => {
    live.close();
    await edge?.close();
    await tracing?.queue.close();
    queries.close();
  },
});
