import type { SinkQueries } from '../../actors/sink/queries.ts';
import type { StatusView, Views } from './backend.ts';
import { type FleetViews, fleetViewsOf } from './fleet-views.ts';

/** The read-only views on the database and, for the status, on the running threads. */
export function viewsOf(
  queries: SinkQueries,
  status: () => Promise<Omit<StatusView, 'envoys' | 'databaseBytes'>>,
  /** Of the key that signs the log's checkpoints, 32 bytes. */
  publicKey: Uint8Array,
  certificates: FleetViews['certificates'],
): Views {
  return {
    status: async () => ({
      ...(await status()),
      envoys: presentOnly(queries.envoys.counts()),
      databaseBytes: queries.databaseBytes(),
    }),
    tokens: () => queries.tokens(),
    adminTokens: () => queries.adminTokens(),
    adminToken: (tokenSha256) => queries.adminToken(tokenSha256),
    accounts: {
      list: () => queries.accounts.list(),
      find: (nameOrId) => queries.accounts.find(nameOrId),
      any: () => queries.accounts.any(),
      sessions: (accountId) => queries.accounts.sessions(accountId),
    },
    federation: {
      keys: (accountId) => queries.federation.keys(accountId),
      identities: (accountId) => queries.federation.identities(accountId),
      identity: (issuer, subject) => queries.federation.identity(issuer, subject),
    },
    envoys: (filter) => queries.envoys.page(filter),
    fleet: fleetViewsOf(queries, certificates),
    findEnvoys: (nameOrId) => queries.findEnvoys(nameOrId),
    agentVersions: () => queries.agentVersions(),
    traits: (envoyId) => queries.traits(envoyId),
    runs: (filter) => queries.runs(filter),
    run: (runId) => queries.run(runId),
    runIds: (prefix, limit) => queries.runIds(prefix, limit),
    policyHistory: (limit) => queries.policyHistory(limit),
    policyVersion: (version) => queries.policyVersion(version),
    plans: {
      list: (limit) => queries.plans.list(limit),
      ids: (prefix) => queries.plans.ids(prefix),
      lastCompared: () => queries.plans.lastCompared(),
      plan: (id) => queries.plans.plan(id, Date.now()),
      fidelity: (id) => queries.plans.fidelity(id),
    },
    audit: (filter) => queries.audit(filter),
    auditTree: {
      checkpoint: (size) => queries.auditTree.checkpoint(publicKey, size),
      inclusion: (sequence, size) => queries.auditTree.inclusion(publicKey, sequence, size),
      consistency: (from, to) => queries.auditTree.consistency(from, to),
    },
  };
}

/** States in which somebody is. */
function presentOnly(counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}
