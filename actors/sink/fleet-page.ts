import type { Kysely } from 'kysely';
import { exportPageLimit } from './limits.ts';
import type { SinkSchema } from './schema.ts';

/** When an envoy was last heard of, as the database knows it (a minute old at most). */
export interface SeenEnvoy {
  readonly envoyId: string;
  /** 0 = never. */
  readonly lastSeenMs: number;
}

/** Envoys of one request for traits. */
export const traitsRequestLimit = 500;

/** Envoys that are not revoked, in the order of their id, after `after`. */
export async function readSeen(
  reader: Kysely<SinkSchema>,
  after: string,
  limit: number,
): Promise<SeenEnvoy[]> {
  const rows = await reader
    .selectFrom('envoys')
    .select(['envoy_id', 'last_seen_ms'])
    .where('envoy_id', '>', after)
    .where('revoked_at_ms', 'is', null)
    .orderBy('envoy_id')
    .limit(Math.min(limit, exportPageLimit))
    .execute();
  return rows.map((row) => ({ envoyId: row.envoy_id, lastSeenMs: row.last_seen_ms ?? 0 }));
}

/** 0 when no envoy in good standing has told of any up to `most`. */
export async function readReportedVersion(
  reader: Kysely<SinkSchema>,
  most: number,
): Promise<number> {
  const row = await reader
    .selectFrom('envoys')
    .select(({ fn }) => fn.max('policy_version').as('version'))
    .where('revoked_at_ms', 'is', null)
    .where('policy_version', '<=', most)
    .executeTakeFirst();
  return row?.version ?? 0;
}

/** Canonical JSON of the traits of these envoys, as far as they are known. */
export async function readTraits(
  reader: Kysely<SinkSchema>,
  envoyIds: readonly string[],
): Promise<{ envoyId: string; traitsJson: string }[]> {
  if (envoyIds.length === 0) return [];
  const rows = await reader
    .selectFrom('traits')
    .select(['envoy_id', 'traits_json'])
    .where('envoy_id', 'in', envoyIds.slice(0, traitsRequestLimit))
    .execute();
  return rows.map((row) => ({ envoyId: row.envoy_id, traitsJson: row.traits_json }));
}
