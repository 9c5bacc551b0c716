import { type Kysely, sql } from 'kysely';
import type { SinkSchema } from './schema.ts';

/** How many envoys run a version of the agent; revoked ones do not count. */
export interface AgentVersionCount {
  readonly version: string;
  readonly envoys: number;
  /** Of them: on their way to another version. */
  readonly updating: number;
  /** Of them: did not get to another version. */
  readonly failed: number;
}

interface CountRow {
  readonly agent_version: string;
  readonly phase: string | null;
  readonly envoys: number;
}

const updating: ReadonlySet<string> = new Set(['fetching', 'trial', 'postponed']);
const failed: ReadonlySet<string> = new Set(['failed', 'returned']);

export function agentVersionQuery(builder: Kysely<SinkSchema>) {
  const phase = sql<string | null>`json_extract(agent_update, '$.phase')`;
  return builder
    .selectFrom('envoys')
    .select(['agent_version', phase.as('phase')])
    .select((select) => select.fn.countAll<number>().as('envoys'))
    .where('revoked_at_ms', 'is', null)
    .groupBy(['agent_version', phase]);
}

export function agentVersionCounts(rows: readonly CountRow[]): AgentVersionCount[] {
  const counts = new Map<string, AgentVersionCount>();
  for (const { agent_version: version, phase, envoys } of rows) {
    const before = counts.get(version) ?? { version, envoys: 0, updating: 0, failed: 0 };
    counts.set(version, {
      version,
      envoys: before.envoys + envoys,
      updating: before.updating + (updating.has(phase ?? '') ? envoys : 0),
      failed: before.failed + (failed.has(phase ?? '') ? envoys : 0),
    });
  }
  return [...counts.values()].sort((a, b) => b.envoys - a.envoys);
}
