import { type Kysely, sql } from 'kysely';
import type { EnvoySeen } from './messages.ts';
import type { SinkSchema } from './schema.ts';
import { applyStateNews, type Transition } from './state-news.ts';

/**
 * Sets when envoys were last seen, all in one statement. A row that says something else about its envoy,
 * after a restored backup or where an older event still waits, is corrected as by an event.
 */
export async function writeLastSeen(
  writer: Kysely<SinkSchema>,
  seen: readonly EnvoySeen[],
): Promise<Transition[]> {
  const notes = JSON.stringify(seen.map(noteOf));
  const { rows } = await sql<{ envoy_id: string }>`
    update envoys set last_seen_ms = max(coalesce(last_seen_ms, 0), note.value ->> 1)
    from json_each(${notes}) as note
    where envoys.envoy_id = note.value ->> 0 and revoked_at_ms is null
      and (state, policy_version, agent_version) =
        (note.value ->> 2, note.value ->> 3, note.value ->> 4)
    returning envoy_id`.execute(writer);
  if (rows.length === seen.length) return [];
  const agreed = new Set(rows.map((row) => row.envoy_id));
  const others = seen.filter(({ envoyId }) => !agreed.has(envoyId));
  return await applyStateNews(
    writer,
    others.map((one) => ({ seen: one })),
  );
}

function noteOf(seen: EnvoySeen): readonly (string | number)[] {
  const { envoyId, lastSeenMs, state, policyVersion, agentVersion } = seen;
  return [envoyId, lastSeenMs, state, policyVersion, agentVersion];
}
