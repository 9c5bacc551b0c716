import { join } from 'node:path';
import { EnvoyRecord, envoyTable } from '../../actors/envoy/record.ts';
import { homeLayout } from '../../actors/server/home/layout.ts';
import { storeDirectory } from '../../actors/server/thread-data.ts';
import { claimsTable } from '../../runtime/directory.ts';
import { nodePorts } from '../../runtime/ports/node-ports.ts';
import { openLmdbStore } from '../../runtime/recovery.ts';
import type { Operation } from '../../runtime/store.ts';
import { joinKey } from '../../runtime/timers.ts';

const rowsPerCommit = 20_000;
/** A prime that spreads consecutive numbers over 32 bits. */
const spread = 2_654_435_761;

/** A UUID of version 4 whose first bits are spread, as those of random ones are. */
export function spreadId(number: number): string {
  const first = ((number * spread) % 2 ** 32).toString(16).padStart(8, '0');
  return `${first}-0000-4000-8000-${String(number).padStart(12, '0')}`;
}

/**
 * What the shards of a stopped server keep of envoys that have checked in: who holds which, and their
 * hot records. `nowMs`: when they were last seen.
 */
export async function writeIdleEnvoys(options: {
  readonly home: string;
  readonly shards: number;
  readonly count: number;
  readonly nowMs: number;
}): Promise<void> {
  const { home, shards, count, nowMs } = options;
  for (let shard = 0; shard < shards; shard += 1) {
    const directory = storeDirectory(homeLayout(home), `shard-${shard}`);
    const { store } = await openLmdbStore({ directory: join(directory), ports: nodePorts() });
    let operations: Operation[] = [];
    for (let number = 1; number <= count; number += 1) {
      if (number % shards !== shard) continue;
      operations.push(...rowsOf(spreadId(number), nowMs));
      if (operations.length < rowsPerCommit) continue;
      await store.transact(operations).committed;
      operations = [];
    }
    await store.transact(operations).durable;
    await store.close();
  }
}

function rowsOf(envoyId: string, nowMs: number): Operation[] {
  const record = EnvoyRecord.empty();
  record.lastSeenMs = nowMs;
  record.timestampMs = nowMs;
  record.sequence = 1;
  record.seenEmittedMs = nowMs;
  return [
    {
      op: 'put',
      table: claimsTable as Operation['table'],
      key: joinKey('envoy', envoyId),
      value: { claim: 1 },
    },
    { op: 'put', table: envoyTable as Operation['table'], key: envoyId, value: record },
  ];
}
