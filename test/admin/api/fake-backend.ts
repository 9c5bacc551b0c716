import { ServerError } from '../../../actors/errors.ts';
import type { Backend, EnvoyView } from '../../../admin/api/backend.ts';
import { EventHub } from '../../../admin/api/live/hub.ts';
import { LoginChallenges } from '../../../admin/api/login/challenges.ts';
import { PendingLogins } from '../../../admin/api/login/oidc/pending-login.ts';
import { AdminError } from '../../../admin/errors.ts';
import { nodePorts } from '../../../runtime/ports/node-ports.ts';

export const knownEnvoy: EnvoyView = {
  id: '6f1f5b0e-0000-4000-8000-000000000001',
  hostname: 'web-1',
  state: 'converged',
  lastSeenMs: 1_000,
  policyVersion: 3,
  agentVersion: '0.1.0',
  update: undefined,
  enrolledAtMs: 500,
  revoked: false,
};

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
      status: async () => ({ version: '0' }) as never,
      tokens: () => [],
      adminTokens: () => [],
      adminToken: () => undefined,
      accounts: { list: () => [], find: () => undefined, any: () => false, sessions: () => [] },
      federation: { keys: () => [], identities: () => [], identity: () => undefined },
      envoys: () => ({ items: [knownEnvoy], next: undefined }),
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
