import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import {
  describeFinding,
  findRegressions,
  pathNames,
  type RegressionFigures,
} from '../../perf/regression/figures.ts';
import { measureServer } from '../../perf/regression/measure.ts';
import { requires } from '../support/requires.ts';

const skip = requires('linux');
const labels = { command: '', date: '', commit: '' };
const tolerance = 0.3;
/** The planted function, or the one of the path into which V8 has copied it. */
const inOrAround = /planted|^admit |^verify /;

t.test('a planted delay and a planted SQL statement are found, and where', { skip }, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'vigo-regression-test-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  // Enough that the profile of their first connections is sure to meet a signature verification.
  const options = { directory, envoys: 100, checkIns: 2500 };
  const before = { ...labels, ...(await measureServer(options)) };
  for (const path of pathNames) t.equal(before.paths[path].sql_statements, 0, path);
  t.equal(before.sql_driver_loaded, false);
  const plant = new URL('./support/planted-fault.ts', import.meta.url).href;
  const after = { ...labels, ...(await measureServer({ ...options, plant })) };
  const findings = findRegressions(before, after, tolerance);
  const costs = pathNames.map((path) => {
    const [old, now] = [before.paths[path], after.paths[path]];
    return `${path} ${old.cpu_to_verify} ± ${old.error} -> ${now.cpu_to_verify} ± ${now.error}`;
  });
  const said = [...costs, ...findings.map(describeFinding)].join('\n');
  const cpu = findings.find(({ what }) => what.startsWith('check-in: CPU'));
  t.ok(cpu, said);
  t.ok(
    cpu?.where.some(({ name }) => inOrAround.test(name)),
    said,
  );
  const sql = findings.find(({ what }) => what.startsWith('check-in: SQL'));
  t.ok((sql?.after ?? 0) >= options.checkIns, said);
  t.ok(
    sql?.where.some(({ name }) => /sql/i.test(name)),
    said,
  );
  t.ok(
    findings.some(({ what }) => /loaded an SQL driver/.test(what)),
    said,
  );
});

function figures(
  cost: number,
  error: number,
  functions: Record<string, number>,
): RegressionFigures {
  const path = { cpu_to_verify: cost, error, process_cpu_us: 0, sql_statements: 0, functions };
  return {
    ...labels,
    machine: { cpu: '', cores: 2, node: '', other_cores: 0 },
    verify_us: 40,
    sql_driver_loaded: false,
    paths: { connect: path, 'check-in': path, report: path },
  };
}

t.test('noise is no regression, and less cost never is', async (t) => {
  const kept = figures(3, 0.02, { a: 1, b: 0.5 });
  t.same(findRegressions(kept, kept, 0), []);
  t.same(findRegressions(kept, figures(3.5, 0.02, { a: 1.5 }), 0.25), []);
  t.same(findRegressions(kept, figures(4, 0.1, { a: 2 }), 0.25), [], 'too few samples to say so');
  t.same(findRegressions(kept, figures(1, 0.02, {}), 0), []);
});

t.test('a function that got much dearer is found in a sum that hides it', async (t) => {
  const kept = figures(6, 0.03, { a: 1, '(program)': 1 });
  const [finding] = findRegressions(kept, figures(7, 0.03, { a: 3.4 }), 0.25);
  t.match(finding, { where: [{ name: 'a', before: 1, after: 3.4 }] });
  t.same(findRegressions(kept, figures(7, 0.03, { '(program)': 4 }), 0.25), [], 'not V8 itself');
  t.same(findRegressions(figures(60, 0.03, {}), figures(62, 0.03, { a: 3.4 }), 0.25), []);
});

t.test('the functions that grew are named, dearest first', async (t) => {
  const kept = figures(3, 0, { a: 1, b: 0.5, c: 0.5 });
  const [finding] = findRegressions(kept, figures(6, 0, { a: 1.5, b: 3, c: 0.5 }), 0.25);
  t.same(
    finding?.where.map(({ name }) => name),
    ['b', 'a'],
  );
  t.match(describeFinding(finding as NonNullable<typeof finding>), /3 -> 6 \(2\.00 x\)\n.*b\n.*a/);
});
