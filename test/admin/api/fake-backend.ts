import { ServerError } from '../../../actors/errors.ts';
import type { Backend, EnvoyView } from '../../../admin/api/backend.ts';
import type { FleetViews } from '../../../admin/api/fleet-views.ts';
import { EventHub } from '../../../admin/api/live/hub.ts';
import { LoginChallenges } from '../../../admin/api/login/challenges.ts';
import { PendingLogins } from '../../../admin/api/login/oidc/pending-login.ts';
import { AdminError } from '../../../admin/errors.ts';
import { nodePorts } from '../../../runtime/ports/node-ports.ts';

export const knownEnvoy: EnvoyView = {
  id: '6f1f5b0e-0000-4000-8000-000000000001',
  hostname: 'web-1',
  state: 'converged',
  stateSinceMs: 700,
  os: 'debian 13',
  maintenance: undefined,
  lastSeenMs: 1_000,
  policyVersion: 3,
  agentVersion: '0.1.0',
  update: undefined,
  enrolledAtMs: 500,
  certificateEndsMs: undefined,
  revoked: false,
};

const fakeCounts = {
  converged: 1,
  relapsed: 0,
  diverged: 0,
  degraded: 0,
  failed: 0,
  offline: 0,
  'no data': 0,
  revoked: 0,
};

function fakeFleetViews(): FleetViews {
  return {
    certificates: { server: 9_000_000_000, authority: 9_000_000_000 },
    detail: (envoy) => ({
      ...envoy,
      revokedAtMs: undefined,
      revokedReason: undefined,
      certificateSerial: '01',
      traitsReceivedMs: undefined,
      runs: [],
      history: [],
    }),
    history: () => ({ items: [], next: undefined }),
    traits: ({ id, hostname }) => ({
      envoyId: id,
      hostname,
      receivedAtMs: 1_000,
      hash: '00',
      traits: { os: {} },
    }),
    resources: () => ({ items: [], total: 0, unchanged: 0, lastRun: undefined }),
    overview: (window, atMs) => ({
      atMs,
      envoys: { active: 1, counts: fakeCounts, inMaintenance: 0, convergedPercent: 100 },
      series: {
        window,
        stepMs: 300_000,
        atMs: [],
        states: {
          converged: [],
          relapsed: [],
          diverged: [],
          degraded: [],
          failed: [],
          offline: [],
          'no data': [],
        },
        checkInsPerSecond: [],
        reportsPerSecond: [],
        latencyP50Ms: [],
        latencyP99Ms: [],
      },
      versions: { policy: [], agent: [], livePolicy: 0 },
      today: {
        sinceMs: 0,
        runs: 0,
        runsWithChanges: 0,
        runsFailed: 0,
        resourcesChanged: 0,
        transitions: 0,
        published: 0,
        enrolled: 0,
        revoked: 0,
      },
      attention: [],
    }),
    ending: () => ({ api: [], enrollment: [] }),
    endingCertificates: () => {
      const none = { count: 0, firstEndsMs: undefined, examples: [] };
      return { ended: none, ending: none };
    },
    savedViews: () => [],
  };
}

function unknownEntry(): never {
  throw new ServerError('AUDIT_NO_SUCH_ENTRY', { sequence: 9, size: 3 });
}

/** Stands in for the actors and the database; remembers what was asked. */
export function fakeBackend(): Backend & { asked: { type: string; payload: unknown }[] } {
  const asked: { type: string; payload: unknown }[] = [];
  const refuse = new ServerError('ENROLLMENT_TOKEN_USED', {});
  return {
    asked,
    ask: async (_to, type, payload) => {
      asked.push({ type, payload });
      if (type === 'publish') throw refuse;
      if (type === 'list') return [] as never;
      return { id: 't1', token: 'vigo-token-x', expiresAtMs: 5 } as never;
    },
    metrics: async () => 'vigo_shards 1\n',
    nowMs: () => 1_000_000,
    live: new EventHub(nodePorts().clock, () => undefined),
    install: {
      pin: 'sha256//AAAA',
      address: 'vigo.example.com',
      grpcPort: 1530,
      apiPort: 8443,
      releases: async () => [],
      open: async (file) => {
        throw new AdminError('API_NOT_FOUND', file);
      },
    },
    backups: {
      open: async (name) => {
        throw new AdminError('API_NOT_FOUND', name);
      },
    },
    login: {
      challenges: new LoginChallenges({
        server: 'vigo.example.com',
        authority: 'ab'.repeat(32),
        nowMs: () => 1_000_000,
      }),
      provider: undefined,
      pendings: new PendingLogins(),
    },
    views: {
      status: async () => ({ version: '0', shards: [] }) as never,
      tokens: () => [],
      adminTokens: () => [],
      adminToken: () => undefined,
      accounts: { list: () => [], find: () => undefined, any: () => false, sessions: () => [] },
      federation: { keys: () => [], identities: () => [], identity: () => undefined },
      envoys: () => ({ items: [knownEnvoy], next: undefined, total: 1, counts: fakeCounts }),
      fleet: fakeFleetViews(),
      findEnvoys: (name) =>
        name === 'twin'
          ? [knownEnvoy, { ...knownEnvoy, id: 'b' }]
          : name === 'web-1'
            ? [knownEnvoy]
            : [],
      agentVersions: () => [],
      traits: () => '{"os":{}}',
      runs: () => ({ items: [], next: undefined }),
      run: () => undefined,
      runIds: () => [],
      policyHistory: () => [],
      policyVersion: () => undefined,
      plans: {
        list: () => [],
        ids: () => [],
        lastCompared: () => undefined,
        plan: () => undefined,
        fidelity: () => undefined,
      },
      audit: () => ({ items: [], next: undefined }),
      auditTree: {
        checkpoint: () => unknownEntry(),
        inclusion: () => unknownEntry(),
        consistency: (from, to) => ({ from, to, proof: [] }),
      },
    },
    log: () => {},
  };
}
