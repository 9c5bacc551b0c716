import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { killRun } from '../../perf/support/kill-run.ts';

/** The long run is `node perf/kill.ts`: 200 kills under 500 envoys. */
const kills = 10;
const envoys = 50;
const seed = 20;
const pauseMs = 250;

t.test('a server that is killed at any moment keeps every promise it made', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'vigo-kill-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const result = await killRun({ kills, envoys, seed, pauseMs, directory });
  t.comment(JSON.stringify(result));
  t.equal(result.kills, kills);
  t.ok(result.acknowledged > envoys, 'there was something to lose');
  t.equal(result.lost, 0, 'every acknowledged report is in the database');
  t.equal(result.duplicated, 0, 'and once');
  t.ok(result.audit_entries > 0, 'the audit chain holds and is not empty');
  t.same(unexpected(result.errors), [], 'envoys met broken connections and nothing worse');
});

/** What a dying or starting server may look like from outside. */
function unexpected(errors: Readonly<Record<string, number>>): string[] {
  const expected = /^(CONNECT|DISCONNECTED|DEADLINE|REQUEST_OVERLOADED|GRPC_1[34])/;
  return Object.keys(errors).filter((code) => !expected.test(code));
}
