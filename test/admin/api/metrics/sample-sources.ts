import type { ShardStatus, ThreadStatus } from '../../../../actors/server/status.ts';
import type { StatusView } from '../../../../admin/api/backend.ts';
import { ApiMeter } from '../../../../admin/api/metrics/api-meter.ts';
import type { MetricSources } from '../../../../admin/api/metrics/metrics.ts';

const thread: ThreadStatus = {
  figures: {
    heapUsedBytes: 20e6,
    heapTotalBytes: 30e6,
    heapLimitBytes: 4e9,
    externalBytes: 1e6,
    garbageCollections: { minor: { count: 4, seconds: 0.01 } },
    utilization: 0.2,
    eventLoopDelay: { p50: 1, p99: 5, max: 20 },
  },
  store: { usedBytes: 1e6, limitBytes: 1e9 },
};

function shard(name: string): ShardStatus {
  return {
    ...thread,
    thread: name,
    connections: 3,
    checkIns: 100,
    reports: 7,
    traits: 2,
    registrations: 3,
    refusals: { REQUEST_REPLAYED: 1 },
    mailboxRefusals: 0,
    sqlStatements: 0,
    sqlDriverLoaded: false,
    outboxEntries: 0,
  };
}

/** A server with two shards, three envoys and a rollout. */
export function sampleSources(clock: { monotonicMs(): number }): MetricSources {
  const shards = [shard('shard-0'), shard('shard-1')];
  const status: StatusView = {
    version: '1.2.3',
    pid: 1,
    startedAtMs: 1_000,
    nowMs: 90_000,
    grpcPort: 1530,
    apiPort: 8443,
    process: { rssKb: 120_000, cpuUs: 5_500_000 },
    shards,
    service: thread,
    sink: { waitingEvents: 2, lagMs: 40 },
    policyVersion: 12,
    totals: { ...shard('all'), sqlStatementsOnPath: 0 },
    envoys: { converged: 2, 'no data': 1 },
    databaseBytes: 4096,
  };
  return {
    status,
    fleet: {
      byAgentVersion: { '1.2.3': 2, 'a "quoted"\nback\\slash': 1 },
      alarming: { converged: 2 },
      inMaintenance: 1,
      transitions: { converged: 7, offline: 2 },
      onLivePolicy: 2,
      behindLivePolicy: 1,
      oldestSeenMs: 60_000,
      livePolicy: { version: 12, publishedAtMs: 50_000 },
      runs: 40,
      auditEntries: 90,
      enrollmentTokens: { open: 1, used: 3, expired: 0, revoked: 0 },
      apiTokens: { valid: 2, soonestExpiryMs: 9e9 },
    },
    publish: {
      version: 12,
      publishedAtMs: 50_000,
      publishedBy: 'admin:alice',
      message: '',
      contentHash: '00',
      origin: { kind: 'publish' } as never,
      approvalRequired: false,
    },
    rollout: {
      version: 12,
      lastGoodVersion: 11,
      status: 'watching',
      stages: ['10%', '100%'],
      stage: 0,
      stageStartedAtMs: 0,
      startedAtMs: 0,
      observeMs: 60_000,
      threshold: 0.1,
      leastConverged: 0,
      onFailure: 'rollback',
      reason: '',
      health: {
        ...{ reached: 1, healthy: 1, unjudged: 0, failing: 0, silent: 0, pending: 0, offline: 0 },
        fleet: { online: 3, converged: 2 },
        sample: [],
      },
    },
    process: { openFiles: 40, openFilesLimit: 1024, virtualBytes: 1e9, diskFreeBytes: 5e10 },
    certificates: { server: 9e9, authority: 9e10 },
    meter: new ApiMeter(clock),
    live: { viewers: 2, ended: new Map([['EVENTS_TOO_SLOW', 1]]) },
    traces: { waiting: 4, exported: 90, dropped: { collector: 2, queue: 0, thread: 0 } },
  };
}
