import t from 'tap';
import type { RunDetailView } from '../../actors/sink/query-rows.ts';
import type { Drift, Trouble } from '../../perf/chaos/chaotic-host.ts';
import { judgeHost } from '../../perf/chaos/verdict.ts';
import type { HostResource } from '../../perf/mixed/description.ts';

const one: HostResource = { kind: 'directory', name: 'directory /srv', path: '/srv', mode: '0755' };
const id = 'lab/directory /srv';
const intervalMs = 15_000;

function run(sequence: number, startedAtMs: number, ids: readonly string[]): RunDetailView {
  return {
    ...{ id: `run-${sequence}`, envoyId: 'e', hostname: 'h', reportSequence: sequence },
    ...{ startedAtMs, receivedAtMs: startedAtMs, durationMs: 100, policyVersion: 1 },
    ...{ state: 'changed', dryRun: false, offline: false, policyChanged: false },
    ...{ total: 1, unchanged: 0, created: 0, updated: ids.length, deleted: 0 },
    ...{ skipped: 0, blocked: 0, failed: 0, incidents: [] },
    results: ids.map((name) => ({
      ...{ id: name, type: 'directory', action: 'updated', reason: 'mode', diff: '' },
      ...{ errorCode: '', durationMs: 1 },
    })),
  };
}

function drift(madeMs: number, repairedMs: number | undefined): Drift {
  return { resource: one.name, what: 'made writable', beganMs: madeMs - 10, madeMs, repairedMs };
}

function judge(
  drifts: readonly Drift[],
  runs: readonly RunDetailView[],
  troubles: readonly Trouble[] = [],
) {
  const resources = new Map([[one.name, one]]);
  return judgeHost({ name: 'h', drifts, troubles, resources }, runs, 4, intervalMs);
}

t.test('a repair within the interval, told once, is as promised', async (t) => {
  const verdict = judge([drift(1000, 9000)], [run(5, 8950, [id])]);
  t.match(verdict, { late: [], unrepaired: [], falseChanges: [], untold: [], sequenceGaps: [] });
  t.same(verdict.repairMs, [8000]);
});

t.test('what is not as promised is named', async (t) => {
  t.match(judge([drift(1000, 18_500)], [run(5, 18_000, [id])]).late, [/made writable: 17500 ms/]);
  t.match(judge([drift(1000, undefined)], []).unrepaired, [/not repaired/]);
  t.match(judge([drift(1000, 9000)], []).untold, [/directory/]);
  t.match(judge([], [run(5, 8950, [id])]).falseChanges, [/updated lab\/directory/]);
  t.match(judge([], [run(6, 8950, []), run(6, 9950, [])]).sequenceGaps, [/report 6, not 5/]);
});

t.test('one drift explains one change', async (t) => {
  const runs = [run(5, 8950, [id]), run(6, 9950, [id])];
  t.equal(judge([drift(1000, 9000)], runs).falseChanges.length, 1);
  t.equal(
    judge([drift(1000, 9000)], [run(5, 900, [id]), ...runs.slice(0, 1)]).falseChanges.length,
    1,
  );
  t.same(judge([drift(1000, 9000), drift(9500, 10_000)], runs).falseChanges, []);
});

t.test('a repair counts from when nothing stood in its way', async (t) => {
  const full: Trouble = { kind: 'disk full', beganMs: 500, endedMs: 20_000 };
  const verdict = judge([drift(1000, 21_000)], [run(5, 20_900, [id])], [full]);
  t.same(verdict.late, []);
  t.same(verdict.repairMs, [1000]);
  const cut: Trouble = { kind: 'network cut', beganMs: 500, endedMs: 20_000 };
  t.equal(judge([drift(1000, 21_000)], [run(5, 20_900, [id])], [cut]).late.length, 1);
});

t.test('only an agent that died may have kept a repair to itself', async (t) => {
  const killed: Trouble = { kind: 'agent killed', beganMs: 9100, endedMs: 9200 };
  t.match(judge([drift(1000, 9000)], [], [killed]), { untold: [], untoldInterrupted: 1 });
  const later: Trouble = { kind: 'agent killed', beganMs: 90_000, endedMs: 90_200 };
  t.match(judge([drift(1000, 9000)], [], [later]), { untoldInterrupted: 0 });
});
