import type { EndingApiToken, EndingEnrollmentToken, EndingTokens } from './fleet-views.ts';
import type { Statements } from './statements.ts';

const dayMs = 86_400_000;
/** How far ahead it is looked, and how far back. */
const aheadMs = 14 * dayMs;
const backMs = 7 * dayMs;
const enrollmentAheadMs = dayMs;
const rowsMax = 50;

/** `nowMs`: the wall clock. */
export function endingTokens(statements: Statements, nowMs: number): EndingTokens {
  const api = statements.all<EndingApiToken>(
    `select id, name, account_id as accountId, created_at_ms as createdAtMs,
       expires_at_ms as expiresAtMs, last_used_ms as lastUsedMs
     from admin_tokens where revoked_at_ms is null and expires_at_ms between ? and ?
     order by expires_at_ms, id limit ${rowsMax}`,
    [nowMs - backMs, nowMs + aheadMs],
  );
  const enrollment = statements.all<Omit<EndingEnrollmentToken, 'match'> & { match: string }>(
    `select id, "match", created_at_ms as createdAtMs, expires_at_ms as expiresAtMs
     from tokens where revoked_at_ms is null and used_at_ms is null and expires_at_ms between ? and ?
     order by expires_at_ms, id limit ${rowsMax}`,
    [nowMs, nowMs + enrollmentAheadMs],
  );
  return {
    api,
    enrollment: enrollment.map((row) => ({ ...row, match: JSON.parse(row.match) as string[] })),
  };
}
