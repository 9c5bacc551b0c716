import { createHash } from 'node:crypto';
import type { AccountRole } from '../../../actors/accounts/messages.ts';
import type { AuditView, Backend } from '../../../admin/api/backend.ts';
import { routeTable } from '../../../admin/api/route-table.ts';
import { Router } from '../../../admin/api/router.ts';
import { pageTable } from '../../../admin/web/page-table.ts';
import { fakeBackend } from '../api/fake-backend.ts';
import { type controlWorld, nowMs, planId } from './control-world.ts';

const metrics = `process_open_fds 512
process_max_fds 20000
vigo_home_free_bytes 53687091200
vigo_outbox_limit_entries 100000
vigo_certificate_expiry_timestamp_seconds{certificate="server"} ${nowMs / 1000 + 86_400 * 20}
vigo_certificate_expiry_timestamp_seconds{certificate="authority"} ${nowMs / 1000 + 86_400 * 3000}
`;

type World = ReturnType<typeof controlWorld>;

function viewsOf(world: World): Partial<Backend['views']> {
  const { log } = world;
  return {
    status: async () => world.server,
    tokens: () => world.tokens,
    adminTokens: () => world.apiTokens,
    accounts: {
      ...fakeBackend().views.accounts,
      list: () => world.accounts,
      find: (nameOrId) =>
        world.accounts.find(({ id, name }) => id === nameOrId || name === nameOrId),
      any: () => true,
      sessions: () => world.sessions,
    },
    agentVersions: () => world.fleet,
    policyHistory: (limit) => world.versions.slice(0, limit),
    policyVersion: (version) => world.versions.find((each) => each.version === version),
    plans: {
      list: () => [{ ...world.plan, asked: 10 }],
      ids: (prefix) => (world.plan.id.startsWith(prefix) ? [world.plan.id] : []),
      lastCompared: () => world.plan.id,
      plan: () => world.plan,
      fidelity: () => world.fidelity,
    },
    audit: ({ afterSequence, beforeSequence = Number.POSITIVE_INFINITY, newest, type, limit }) => {
      const fits = ({ sequence, type: own }: AuditView) =>
        sequence > afterSequence &&
        sequence < beforeSequence &&
        (type === undefined ||
          (type.endsWith('.*') ? own.startsWith(type.slice(0, -1)) : own === type));
      const found = log.entries.filter(fits);
      return {
        items: newest === true ? found.slice(-limit) : found.slice(0, limit),
        next: undefined,
      };
    },
    auditTree: {
      checkpoint: (size) => log.checkpoint(size),
      inclusion: (sequence, size) => log.inclusion(sequence, size),
      consistency: (from, to) => log.consistency(from, to),
    },
  };
}

function answersOf(world: World): Record<string, unknown> {
  return {
    'publish status': world.status,
    'publish diff': world.comparison,
    'rollout status': world.rollout,
    'releases list': world.releases,
    'secrets list': world.secrets,
    'doctor examine': world.examination,
  };
}

const token = 'vgot_of-the-test';
const tokenSha256 = createHash('sha256').update(token).digest('hex');

/** The pages and the API over a world, as asked by somebody of this name and role. */
export function controlSite(world: World, role: AccountRole = 'admin', name = 'bob') {
  const fake = fakeBackend();
  const answers = answersOf(world);
  const asked: { type: string; payload: unknown }[] = [];
  const backend: Backend = {
    ...fake,
    nowMs: () => nowMs,
    metrics: async () => metrics,
    views: { ...fake.views, ...viewsOf(world) },
    ask: async (to, type, payload) => {
      const known = answers[`${to.kind} ${type}`];
      if (known === undefined) asked.push({ type, payload });
      return (known ?? { id: 'made', token: 'vigo-token-x', expiresAtMs: nowMs }) as never;
    },
  };
  const access = {
    find: (hash: string) => (hash === tokenSha256 ? { name, role, tokenSha256 } : undefined),
    nowMs: () => nowMs,
    used: () => undefined,
  };
  const router = new Router(routeTable, backend, access, undefined, pageTable);
  const send = (method: string, target: string, body?: unknown) => {
    const [path = '', query = ''] = target.split('?');
    const headers: Record<string, string> = {
      authorization: `Bearer ${token}`,
      host: 'vigo.example.com:8443',
    };
    return router.handle({
      method,
      path,
      query,
      header: (header) => headers[header],
      body: new TextEncoder().encode(body === undefined ? '' : JSON.stringify(body)),
      peerAddress: '127.0.0.1',
    });
  };
  return { send, asked, get: (target: string) => send('GET', target) };
}

/** Every page of this file's kind, with an address that leads to something. */
export const controlPaths: readonly string[] = [
  '/policy',
  '/policy/5',
  '/policy/4?from=1',
  '/policy/compare',
  '/approvals',
  '/rollout',
  '/plans',
  `/plans/${planId}`,
  '/enrollment',
  '/audit',
  '/audit?type=rollout.*',
  '/audit/30',
  '/secrets',
  '/people',
  '/people/alice',
  '/people/tokens',
  '/server',
  '/server/doctor',
  '/releases',
  '/work',
];
