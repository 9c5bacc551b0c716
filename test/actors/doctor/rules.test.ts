import t from 'tap';
import { type FleetFacts, fleetFindings, isMuchOlder } from '../../../actors/doctor/fleet-rules.ts';
import { type HomeFacts, homeFindings } from '../../../actors/doctor/home-rules.ts';
import type { ThreadFacts } from '../../../actors/doctor/messages.ts';
import { policyFindings } from '../../../actors/doctor/policy-rules.ts';
import { threadFindings } from '../../../actors/doctor/thread-rules.ts';
import type { Finding } from '../../../actors/doctor/view.ts';
import type { PublishStatus } from '../../../actors/publish/messages.ts';

const nowMs = Date.UTC(2026, 10, 22);
const dayMs = 86_400_000;
const gigabyte = 1024 ** 3;

const home: HomeFacts = {
  home: '/srv/vigo',
  config: undefined,
  exposed: [],
  foreign: [],
  certificates: [
    { name: 'server', endsMs: nowMs + 300 * dayMs },
    { name: 'authority', endsMs: nowMs + 3000 * dayMs },
  ],
  disk: { freeBytes: 50 * gigabyte, totalBytes: 100 * gigabyte },
  inodes: { free: 900, total: 1000 },
  stack: {
    directory: '/srv/vigo/stacks',
    exists: true,
    policyFiles: 3,
    unreadable: [],
    writableByOthers: [],
  },
  backup: { name: 'vigo-1.tar.gz', createdAtMs: nowMs - dayMs },
  isUsed: true,
  interruptedRestore: false,
};

const noCertificate = { count: 0, firstEndsMs: undefined, examples: [] };
const someCertificates = {
  count: 7,
  firstEndsMs: nowMs,
  examples: [{ id: 'a', name: 'web-1' }],
};

const fleet: FleetFacts = {
  serverVersion: '0.5.0',
  policyVersion: 7,
  envoys: 100,
  offline: { count: 0, names: [] },
  agents: [{ version: '0.5.0', envoys: 100 }],
  skewed: [],
  ahead: { count: 0, version: 0 },
  descriptorLimit: 1024,
  unacknowledgedRestore: undefined,
  certificates: { ended: noCertificate, ending: noCertificate },
};

const threads: ThreadFacts = {
  stores: [{ thread: 'shard-0', usedBytes: 10, limitBytes: 100 }],
  sink: { waitingEvents: 0, lagMs: 0 },
  delays: [{ thread: 'shard-0', p99Ms: 20 }],
};

/** "problem certificate", and every finding says what, why and what to do. */
function names(findings: readonly Finding[]): string[] {
  for (const { finding, why, remedy } of findings) {
    t.ok(finding.length > 5 && why.length > 5 && remedy.length > 5, finding);
  }
  return findings.map(({ severity, check }) => `${severity} ${check}`);
}

t.test('nothing is found where nothing is wrong', async (t) => {
  t.same(homeFindings(home, nowMs).findings, []);
  t.same(fleetFindings(fleet).findings, []);
  t.same(threadFindings(threads), []);
});

t.test('what a home can have', async (t) => {
  const ends = (name: 'server' | 'authority', endsMs: number | undefined) => [{ name, endsMs }];
  const megabytes = (free: number) => ({ freeBytes: free * 1024 ** 2, totalBytes: 100 * gigabyte });
  const cases: [Partial<HomeFacts>, string][] = [
    [{ config: { message: 'unknown key', remedy: 'remove it' } }, 'problem settings'],
    [{ exposed: [{ path: '/k', mode: '644' }] }, 'problem exposed-file'],
    [{ foreign: ['/srv/vigo/db/vigo.db'] }, 'warning foreign-file'],
    [{ certificates: ends('server', nowMs - 1) }, 'problem certificate'],
    [{ certificates: ends('server', nowMs + 10 * dayMs) }, 'warning certificate'],
    [{ certificates: ends('authority', nowMs + 100 * dayMs) }, 'warning certificate'],
    [{ certificates: ends('server', undefined) }, 'problem certificate'],
    [{ disk: megabytes(100) }, 'problem disk-space'],
    [{ disk: megabytes(900) }, 'warning disk-space'],
    [{ disk: { freeBytes: 4 * gigabyte, totalBytes: 100 * gigabyte } }, 'warning disk-space'],
    [{ inodes: { free: 10, total: 1000 } }, 'warning disk-space'],
    [{ stack: { ...home.stack, exists: false } }, 'problem stack'],
    [{ stack: { ...home.stack, policyFiles: 0 } }, 'warning stack'],
    [{ stack: { ...home.stack, unreadable: ['a.vgo'] } }, 'problem stack'],
    [{ stack: { ...home.stack, writableByOthers: ['a.vgo'] } }, 'problem stack'],
    [{ backup: undefined }, 'warning backup'],
    [{ backup: { name: 'old', createdAtMs: nowMs - 8 * dayMs } }, 'warning backup'],
    [{ interruptedRestore: true }, 'problem restore'],
  ];
  for (const [change, expected] of cases) {
    t.same(names(homeFindings({ ...home, ...change }, nowMs).findings), [expected]);
  }
  t.same(homeFindings({ ...home, backup: undefined, isUsed: false }, nowMs).findings, []);
});

t.test('what a fleet can have', async (t) => {
  const many = Array.from({ length: 9 }, (_, at) => `web-${at}`);
  const cases: [Partial<FleetFacts>, string][] = [
    [{ offline: { count: 9, names: many } }, 'warning offline-envoys'],
    [{ offline: { count: 60, names: many } }, 'problem offline-envoys'],
    [{ agents: [{ version: '0.2.1', envoys: 4 }] }, 'warning old-agents'],
    [{ skewed: ['web-1'] }, 'problem envoy-clocks'],
    [{ descriptorLimit: 256 }, 'problem file-descriptors'],
    [{ ahead: { count: 3, version: 9 } }, 'problem policy-behind'],
    [{ unacknowledgedRestore: { through: 900 } }, 'warning restored-audit'],
    [
      { certificates: { ended: someCertificates, ending: noCertificate } },
      'problem envoy-certificates',
    ],
    [
      { certificates: { ended: noCertificate, ending: someCertificates } },
      'warning envoy-certificates',
    ],
  ];
  for (const [change, expected] of cases) {
    t.same(names(fleetFindings({ ...fleet, ...change }).findings), [expected]);
  }
  const [found] = fleetFindings({ ...fleet, offline: { count: 9, names: many } }).findings;
  t.match(found?.finding, /^9 of 100 envoys .* and 4 more$/, 'names some, counts all');
  t.equal(isMuchOlder('0.4.9', '0.5.0'), false);
  t.equal(isMuchOlder('0.9.0', '1.0.0'), true);
  t.equal(isMuchOlder('1.1.0', '0.5.0'), false);
  t.equal(isMuchOlder('unknown', '0.5.0'), false);
});

t.test('what threads can have', async (t) => {
  const filled = (usedBytes: number) => [{ thread: 'shard-0', usedBytes, limitBytes: 100 }];
  const late = (lagMs: number) => ({ waitingEvents: 10, lagMs });
  const cases: [Partial<ThreadFacts>, string][] = [
    [{ stores: filled(85) }, 'warning state-space'],
    [{ stores: filled(97) }, 'problem state-space'],
    [{ sink: undefined }, 'problem sink-lag'],
    [{ sink: late(90_000) }, 'warning sink-lag'],
    [{ sink: late(900_000) }, 'problem sink-lag'],
    [{ delays: [{ thread: 'web', p99Ms: 900 }] }, 'warning slow-thread'],
  ];
  for (const [change, expected] of cases) {
    t.same(names(threadFindings({ ...threads, ...change })), [expected]);
  }
});

t.test('what a policy can have', async (t) => {
  const live = { version: 7 } as PublishStatus;
  t.same(policyFindings(live, nowMs).findings, []);
  const freeze = { reason: 'sale', by: 'admin:ada', untilMs: nowMs + dayMs };
  const candidate = { author: 'admin:ada', createdAtMs: nowMs - 2 * dayMs };
  const cases: [object, string][] = [
    [{ version: 0 }, 'warning policy'],
    [{ freeze }, 'warning freeze'],
    [{ candidate }, 'warning candidate'],
    [{ rollout: { status: 'paused', version: 7 } }, 'warning rollout'],
  ];
  for (const [change, expected] of cases) {
    const status = { ...live, ...change } as PublishStatus;
    t.same(names(policyFindings(status, nowMs).findings), [expected]);
  }
  t.same(names(policyFindings(new Error('damaged'), nowMs).findings), ['problem policy']);
});
