/**
 * The entry of vigosrv's web thread: REST on TLS. It hosts no actors; it asks them, and reads the
 * database through a connection that cannot write.
 */
import { hostname as machineName } from 'node:os';
import { accessAddress } from '../../actors/access/messages.ts';
import { keepCompiledCode } from '../../actors/server/compile-cache.ts';
import { createLog } from '../../actors/server/log.ts';
import { apiListeningControl, collectStatus } from '../../actors/server/status-messages.ts';
import {
  reviveServerError,
  type ServerThreadData,
  serviceThread,
} from '../../actors/server/thread-data.ts';
import { SinkQueries } from '../../actors/sink/queries.ts';
import { nodePorts } from '../../runtime/ports/node-ports.ts';
import type { ThreadSystem } from '../../runtime/system.ts';
import { joinSystem, threadBootstrap } from '../../runtime/thread.ts';
import { mainThread } from '../../runtime/topology.ts';
import { AdminError } from '../errors.ts';
import type { ApiCredential } from './authenticate.ts';
import type { Backend, StatusView } from './backend.ts';
import type { HttpEdge } from './http-edge.ts';
import { createInstallSource } from './install/source.ts';
import { lastUsed } from './last-used.ts';
import { openNodeEdge } from './node-edge.ts';
import { problemOf } from './problem.ts';
import { routeTable } from './route-table.ts';
import { problemResponse, Router } from './router.ts';
import { newTraceId } from './trace.ts';
import { viewsOf } from './views.ts';

const tellMainDeadlineMs = 5_000;

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
let edge: HttpEdge | undefined;
const { hostname, grpcListen, apiListen } = data.config.server;
const install = createInstallSource({
  directory: data.layout.agentsDirectory,
  certificateChain: data.tls.certificateChain,
  grpcPort: data.grpcPort,
  apiPort: () => edge?.port ?? data.apiListen.port,
  names: [hostname, grpcListen.host, apiListen.host, machineName()],
});

/** Read for each request: a revocation holds from the moment in which it is on disk. */
function named(tokenSha256: string): ApiCredential | undefined {
  const token = queries.adminToken(tokenSha256);
  if (token === undefined) return undefined;
  const { id: tokenId, name, role, expiresAtMs, revokedAtMs } = token;
  return {
    name,
    role,
    tokenSha256,
    tokenId,
    ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
    ...(revokedAtMs === undefined ? {} : { revokedAtMs }),
  };
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

function backendOf(system: ThreadSystem): Backend {
  return {
    ask: (to, type, payload, deadlineMs) => system.ask(to, type, payload, { deadlineMs }),
    nowMs: () => ports.clock.nowMs(),
    install,
    views: viewsOf(queries, () => status(system), data.bundlePublicKey),
    log: (level, message, fields) => log[level](fields, message),
  };
}

async function open(system: ThreadSystem): Promise<void> {
  const router = new Router(routeTable, backendOf(system), {
    find: (hash) => (hash === localCredential.tokenSha256 ? localCredential : named(hash)),
    nowMs: () => ports.clock.nowMs(),
    used: lastUsed((id, atMs) => system.tell(accessAddress(), 'used', { id, atMs }), ports.clock),
  });
  const traceId = newTraceId();
  const tooLarge = new AdminError(
    'API_TOO_LARGE',
    'a body has a limit; that of a stack is the largest',
  );
  edge = await openNodeEdge({
    ...data.apiListen,
    certificatePem: data.tls.certificateChain,
    keyPem: data.tls.privateKey,
    bodyBytesMax: router.bodyBytesMax,
    handle: router.handle,
    tooLarge: problemResponse(problemOf(tooLarge, traceId), traceId),
  });
  keepCompiledCode(ports.clock);
  const listening = { port: edge.port };
  await system.request(mainThread, apiListeningControl, listening, tellMainDeadlineMs);
}

await joinSystem({
  kinds: [],
  ports,
  reviveError: reviveServerError,
  onStart: open,
  onStop: async () => {
    await edge?.close();
    queries.close();
  },
});
