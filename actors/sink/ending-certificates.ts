import { type Kysely, sql } from 'kysely';
import type { CertificateGroup, EndingCertificates } from './fleet-views.ts';
import type { Statements } from './statements.ts';

const dayMs = 86_400_000;
/** Somebody has to act in the last part of a certificate's life: a fifth, and 30 days at most. */
const aheadMs = 30 * dayMs;
const lastPart = 5;
/** It was in use when it ended, if the envoy was last seen no earlier. */
const inUseMs = dayMs;
const examplesMax = 5;

/** Those in maintenance have a person, and who never came or stayed away is not missed. */
const whose = 'from envoys where revoked_at_ms is null and maintenance is null';
const ended = `${whose} and certificate_ends_ms <= ?
  and last_seen_ms >= certificate_ends_ms - ${inUseMs}`;
const ending = `${whose} and certificate_ends_ms > ? and certificate_ends_ms <= ?
  and (certificate_ends_ms - ?) * ${lastPart} <= certificate_ends_ms - certificate_issued_ms
  and last_seen_ms is not null`;

/** `nowMs`: the wall clock. */
export function endingCertificates(statements: Statements, nowMs: number): EndingCertificates {
  return {
    ended: group(statements, ended, [nowMs]),
    ending: group(statements, ending, [nowMs, nowMs + aheadMs, nowMs]),
  };
}

function group(
  statements: Statements,
  chosen: string,
  values: readonly number[],
): CertificateGroup {
  const [found] = statements.all<{ count: number; first: number | null }>(
    `select count(*) as count, min(certificate_ends_ms) as first ${chosen}`,
    values,
  );
  const count = found?.count ?? 0;
  if (count === 0) return { count, firstEndsMs: undefined, examples: [] };
  const examples = statements.all<{ id: string; name: string }>(
    `select envoy_id as id, hostname as name ${chosen}
     order by certificate_ends_ms, envoy_id limit ${examplesMax}`,
    values,
  );
  return { count, firstEndsMs: found?.first ?? undefined, examples };
}

/** Of envoys that are there already nobody knows it: what was signed is not kept. */
export async function addCertificateEnds(database: Kysely<unknown>): Promise<void> {
  for (const column of ['certificate_issued_ms', 'certificate_ends_ms']) {
    await database.schema.alterTable('envoys').addColumn(column, 'bigint').execute();
  }
  await sql`create index envoys_certificate on envoys (certificate_ends_ms)
    where revoked_at_ms is null`.execute(database);
}
