import type {
  EndpointCounters,
  ServerStatus,
  ShardStatus,
  SinkStatus,
  ThreadStatus,
} from './status.ts';

/** Names of the control messages (`ThreadSystem.request`) by which threads tell of themselves. */
export const statusControl = 'server.status';
/** Asked of the service host: answered once identities and policy are in its store. */
export const serviceReadyControl = 'service.ready';
/** Asked of a shard: remove outbox entries that the sink has. */
export const trimControl = 'outbox.trim';
export interface TrimOrder {
  readonly storeId: number;
  readonly through: number;
}
/** Told by the edge to the main thread once it listens. */
export const apiListeningControl = 'api.listening';

const statusDeadlineMs = 2_000;

interface Asker {
  request(thread: string, name: string, body: unknown, deadlineMs: number): Promise<unknown>;
}

/** Asks every shard and the service host of the system; threads that do not answer are left out. */
export async function collectStatus(
  asker: Asker,
  shards: readonly string[],
  service: string,
): Promise<
  Pick<ServerStatus, 'shards' | 'sink' | 'service' | 'policyVersion' | 'totals' | 'process'>
> {
  const ask = (thread: string) =>
    asker.request(thread, statusControl, undefined, statusDeadlineMs).catch(() => undefined);
  const [serviceAnswer, ...answers] = await Promise.all([ask(service), ...shards.map(ask)]);
  const answered = answers.filter((answer) => answer !== undefined) as ShardStatus[];
  const fromService = serviceAnswer as
    | { sink: SinkStatus | undefined; service: ThreadStatus; policyVersion: number }
    | undefined;
  const { user, system } = process.cpuUsage();
  return {
    process: { rssKb: Math.round(process.memoryUsage.rss() / 1024), cpuUs: user + system },
    shards: answered,
    sink: fromService?.sink,
    service: fromService?.service,
    policyVersion: fromService?.policyVersion ?? 0,
    totals: {
      ...sumCounters(answered),
      sqlStatementsOnPath: answered.reduce((sum, { sqlStatements }) => sum + sqlStatements, 0),
    },
  };
}

function sumCounters(shards: readonly EndpointCounters[]): EndpointCounters {
  const refusals: Record<string, number> = {};
  for (const shard of shards) {
    for (const [code, count] of Object.entries(shard.refusals)) {
      refusals[code] = (refusals[code] ?? 0) + count;
    }
  }
  const sum = (field: Exclude<keyof EndpointCounters, 'refusals'>) =>
    shards.reduce((total, shard) => total + shard[field], 0);
  return {
    connections: sum('connections'),
    checkIns: sum('checkIns'),
    reports: sum('reports'),
    traits: sum('traits'),
    registrations: sum('registrations'),
    refusals,
  };
}
