import type { AccountView, SessionView } from '../../../actors/accounts/messages.ts';
import type { AuditEvent } from '../../../actors/audit/event.ts';
import type { FidelityView, PlanView } from '../../../actors/plan/view.ts';
import type { StackComparison } from '../../../actors/publish/comparison.ts';
import type { PublishStatus } from '../../../actors/publish/messages.ts';
import type { ReleaseList } from '../../../actors/releases/messages.ts';
import type { RolloutView } from '../../../actors/rollout/messages.ts';
import type { PolicyVersionView, StatusView } from '../../../admin/api/backend.ts';
import { auditLogOf } from './audit-log-fixture.ts';

export const nowMs = Date.UTC(2026, 10, 22, 6);
const minuteMs = 60_000;
const hash = 'ab12'.repeat(16);
export const planId = '0b6d2f4e-0000-4000-8000-00000000000a';
const envoyId = '6f1f5b0e-0000-4000-8000-000000000001';

/** `odd`: what strangers put into names, messages and files. */
export function controlWorld(odd: string) {
  const author = 'admin:alice';
  const counts = {
    modules: 4,
    resources: 31,
    entries: 3,
    bundles: 2,
    changedEnvoys: 120,
    totalEnvoys: 500,
  };
  const versions: PolicyVersionView[] = [5, 4, 3, 2, 1].map((version) => ({
    version,
    publishedAtMs: nowMs - (6 - version) * 60 * minuteMs,
    publishedBy: author,
    message: `${odd} worker count`,
    contentHash: hash,
    origin: version === 4 ? { kind: 'rollback', of: 2 } : { kind: 'publish' },
    bundles: 2,
    changedEnvoys: 120,
    counts,
    ...(version === 5 ? { approval: { by: 'admin:bob', atMs: nowMs, reason: odd }, planId } : {}),
  }));
  const rollout: RolloutView = {
    version: 5,
    lastGoodVersion: 4,
    status: 'watching',
    stages: ['canary-*', '5%', '25%', '100%'],
    stage: 2,
    stageStartedAtMs: nowMs - 4 * minuteMs,
    startedAtMs: nowMs - 24 * minuteMs,
    observeMs: 10 * minuteMs,
    threshold: 0.1,
    leastConverged: 0.9,
    onFailure: 'rollback',
    reason: odd,
    health: {
      reached: 120,
      healthy: 96,
      unjudged: 1,
      failing: 2,
      silent: 1,
      pending: 18,
      offline: 2,
      fleet: { online: 488, converged: 471 },
      sample: [`web-${odd}`, 'db-2'],
    },
  };
  const status: PublishStatus = {
    version: 5,
    publishedAtMs: nowMs - 24 * minuteMs,
    publishedBy: author,
    message: odd,
    contentHash: hash,
    origin: { kind: 'promote', from: 'staging', to: odd },
    approvalRequired: true,
    candidate: {
      contentHash: hash,
      author,
      message: `${odd} more workers`,
      createdAtMs: nowMs,
      expiresAtMs: nowMs + 600 * minuteMs,
      baseVersion: 5,
      counts,
      planId,
    },
    freeze: { reason: odd, by: author, sinceMs: nowMs - minuteMs },
    rollout,
  };
  return { versions, rollout, status, ...plansOf(odd), ...peopleOf(odd), ...restOf(odd) };
}

function plansOf(odd: string) {
  const diff = `--- a\n+++ b\n@@ -1,3 +1,3 @@\n name: app\n-workers: 4\n+workers: 8 ${odd}`;
  const comparison: StackComparison = {
    from: { name: 'version 4', contentHash: hash },
    to: { name: odd, contentHash: hash },
    files: [
      { path: `modules/${odd}.vgo`, change: 'changed', diff },
      { path: 'modules/new.vgo', change: 'added', diff: '+name: new' },
    ],
    groups: [
      {
        match: ['web-*', odd],
        envoys: 120,
        hostnames: [odd, 'web-1', 'web-2'],
        resources: [
          { id: `app/${odd}`, type: 'file', change: 'changed', diff },
          { id: 'app/reload', type: 'exec', change: 'removed', diff: '-command: reload' },
        ],
      },
    ],
    truncated: true,
  };
  const plan: PlanView = {
    id: planId,
    createdAtMs: nowMs - 90 * minuteMs,
    createdBy: 'admin:alice',
    contentHash: hash,
    baseVersion: 4,
    fleet: 500,
    envoys: 120,
    groups: [
      {
        oldRoot: hash,
        newRoot: hash,
        envoys: 120,
        hostnames: [odd, 'web-2'],
        evaluated: 100,
        unchanged: 29,
        omitted: 1,
        resources: [
          {
            id: `app/${odd}`,
            type: 'file',
            change: 'update',
            reason: odd,
            envoys: 90,
            parameters: [
              { name: 'content', before: `one\ntwo ${odd}`, after: 'one\nthree' },
              { name: 'mode', before: '0644', after: '0600' },
            ],
          },
          {
            id: 'app/reload',
            type: 'service',
            change: 'trigger',
            reason: 'triggered by app/config',
            envoys: 100,
            parameters: [],
          },
        ],
      },
    ],
    summary: { update: 1, trigger: 1, unknown: 1 },
    live: {
      asked: 10,
      answered: 8,
      deadlineMs: nowMs,
      over: false,
      silent: [odd],
      troubles: [{ hostname: 'web-3', trouble: odd }],
      resources: [
        {
          id: `app/${odd}`,
          type: 'file',
          envoys: 8,
          actions: { updated: 7, none: 1 },
          assumed: 1,
          moreVariants: 1,
          variants: [
            {
              action: 'updated',
              reason: odd,
              diff,
              errorCode: 'AGENT_FILE',
              assumed: true,
              envoys: 7,
              hostname: odd,
            },
          ],
        },
      ],
      summary: { updated: 1 },
    },
  };
  const miss = {
    hostname: odd,
    resource: `app/${odd}`,
    type: 'file',
    basis: 'live',
    predicted: 'updated',
    actual: 'failed',
    assumed: false,
    reason: odd,
  };
  const fidelity: FidelityView = {
    planId,
    createdAtMs: nowMs,
    contentHash: hash,
    versions: [5],
    envoys: { changing: 120, compared: 96 },
    score: 0.975,
    types: [
      {
        basis: 'live',
        type: 'file',
        predicted: 120,
        matching: 117,
        assumed: 2,
        undetermined: 1,
        unpredicted: 0,
      },
    ],
    misses: [miss],
    undetermined: [{ ...miss, assumed: true }],
    moreMisses: 2,
  };
  return { comparison, plan, fidelity };
}

function peopleOf(odd: string) {
  const account: AccountView = {
    id: 'acc-1',
    name: 'alice',
    displayName: odd,
    email: odd,
    role: 'operator',
    grants: [{ role: 'approver', envoys: odd }],
    mustChangePassword: false,
    createdAtMs: nowMs - 9_000 * minuteMs,
    createdBy: 'admin:local',
    passwordChangedAtMs: undefined,
    lastLoginMs: nowMs - 3 * minuteMs,
    disabledAtMs: undefined,
    deletedAtMs: undefined,
    hasPassword: true,
    totp: true,
    recoveryCodesLeft: 8,
  };
  const session: SessionView = {
    id: 'ses-1',
    accountId: account.id,
    method: 'password+totp',
    createdAtMs: nowMs - 60 * minuteMs,
    lastUsedMs: nowMs - minuteMs,
    expiresAtMs: nowMs + 600 * minuteMs,
    endedAtMs: undefined,
    endedBecause: '',
    peerAddress: '192.0.2.7',
    userAgent: odd,
  };
  const accounts = [
    account,
    { ...account, id: 'acc-2', name: odd, grants: [], totp: false, role: 'viewer' as const },
  ];
  const apiToken = {
    id: 'tok-1',
    name: odd,
    role: 'viewer' as const,
    createdAtMs: nowMs,
    createdBy: 'admin:alice',
    expiresAtMs: nowMs + 3 * 1440 * minuteMs,
    lastUsedMs: undefined,
    revokedAtMs: undefined,
    accountId: undefined,
    permissions: ['status.read'],
    envoys: [odd],
  };
  const token = {
    id: 'enr-1',
    match: [odd, 'web-*'],
    createdBy: 'admin:alice',
    createdAtMs: nowMs - minuteMs,
    expiresAtMs: nowMs + 600 * minuteMs,
    usedAtMs: undefined,
    usedBy: undefined,
    revokedAtMs: undefined,
  };
  const tokens = [
    token,
    { ...token, id: 'enr-2', match: ['db-1'], usedAtMs: nowMs, usedBy: envoyId },
  ];
  return { accounts, sessions: [session], apiTokens: [apiToken], tokens };
}

function restOf(odd: string) {
  const releases: ReleaseList = {
    items: [
      {
        version: '0.4.0',
        platform: 'linux-x64',
        bytes: 9e7,
        downloadBytes: 3e7,
        sha256: hash,
        createdAtMs: nowMs - minuteMs,
        minimumAgent: '',
        downgradeFrom: [],
        signedBy: odd,
      },
    ],
    rollout: {
      version: '0.4.0',
      revision: 2,
      status: 'running',
      percent: 25,
      match: [odd],
      from: [],
      trialCheckIns: 3,
      trialSeconds: 300,
      maxFailures: 3,
      failures: 1,
      changedAtMs: nowMs,
      changedBy: 'admin:alice',
      reason: odd,
    },
  };
  const fleet = [
    { version: '0.3.9', envoys: 380, updating: 12, failed: 1 },
    { version: '0.4.0', envoys: 108, updating: 0, failed: 0 },
  ];
  const secrets = [
    {
      path: `db/${odd}`,
      version: 3,
      updatedAtMs: nowMs - 9 * minuteMs,
      versions: 2,
      updatedBy: 'admin:alice',
    },
  ];
  const examination = {
    findings: [
      {
        check: 'certificate-expiring',
        severity: 'warning' as const,
        finding: odd,
        why: 'Agents will not connect.',
        remedy: 'Restart the server.',
      },
    ],
    checked: ['certificate-expiring', 'disk'],
  };
  const figures = {
    heapUsedBytes: 8e7,
    heapTotalBytes: 9e7,
    heapLimitBytes: 4e8,
    externalBytes: 1e6,
    garbageCollections: { minor: { count: 120, seconds: 0.3 } },
    utilization: 0.31,
    eventLoopDelay: { p50: 0.2, p99: 3.1, max: 41 },
  };
  const thread = { figures, store: { usedBytes: 7.4e8, limitBytes: 1e9 } };
  const counters = {
    connections: 244,
    checkIns: 90_120,
    reports: 3_211,
    traits: 500,
    registrations: 12,
    refusals: { REQUEST_CLOCK_SKEW: 7 },
  };
  const shards = ['shard-0', 'shard-1'].map((name) => ({
    thread: name,
    ...counters,
    ...thread,
    mailboxRefusals: 0,
    sqlStatements: 0,
    sqlDriverLoaded: false,
    outboxEntries: 31,
  }));
  const server: StatusView = {
    version: '0.4.0',
    pid: 4711,
    startedAtMs: nowMs - 3000 * minuteMs,
    nowMs,
    grpcPort: 1530,
    apiPort: 8443,
    process: { rssKb: 612_000, cpuUs: 9e9 },
    shards,
    sink: { waitingEvents: 12, lagMs: 340 },
    service: thread,
    policyVersion: 5,
    totals: { ...counters, sqlStatementsOnPath: 0 },
    envoys: { converged: 471, failed: 3 },
    databaseBytes: 4.1e8,
  };
  const log = auditLogOf(eventsOf(odd));
  return { releases, fleet, secrets, examination, server, log };
}

function eventsOf(odd: string): AuditEvent[] {
  const event = (
    at: number,
    type: string,
    actor: string,
    details: AuditEvent['details'] = {},
  ): AuditEvent => ({
    id: `event-${at}`,
    atMs: nowMs - (40 - at) * minuteMs,
    type,
    actor,
    subject: at % 3 === 0 ? envoyId : odd,
    details,
  });
  const steps = [
    'rollout.started',
    'rollout.stage_started',
    'rollout.stage_passed',
    'rollout.stage_started',
  ];
  return [
    ...Array.from({ length: 30 }, (_, at) =>
      event(
        at,
        at % 7 === 0 ? 'request.refused' : 'token.created',
        at % 7 === 0 ? `envoy:${envoyId}` : 'admin:alice',
        { code: 'REQUEST_CLOCK_SKEW', match: odd },
      ),
    ),
    ...steps.map((type, at) =>
      event(30 + at, type, 'server', { version: 5, stage: 1, reason: odd }),
    ),
  ];
}
