import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { resourceTypes } from '../../agent/executors/registry.ts';
import {
  type CoverageRecord,
  coveragePage,
  coverageRows,
  staleReasons,
  toRecord,
  unexplainedCells,
} from '../support/coverage-table.ts';
import { noCells } from '../support/type-backends.ts';

const project = new URL('../..', import.meta.url).pathname;
const record: CoverageRecord = JSON.parse(
  readFileSync(join(project, 'test/corpus/type-coverage.json'), 'utf8'),
);
const rows = coverageRows(record, [...resourceTypes.keys()]);

t.test('every case of every type on every back-end is shown by a test, or named', async (t) => {
  t.same(unexplainedCells(rows, noCells), [], 'node test/tools/type-coverage.ts shows them');
  t.same(staleReasons(rows, noCells), [], 'no reason is given for what is shown');
});

t.test('the table tells what the tests that exist have shown', async (t) => {
  for (const file of Object.keys(record)) t.ok(existsSync(join(project, file)), file);
  const page = readFileSync(join(project, 'docs/reference/type-coverage.md'), 'utf8');
  t.equal(page, coveragePage(rows, noCells), 'made by node test/tools/type-coverage.ts --page');
});

t.test('an empty cell is found, a reason fills it, and one too many is found', async (t) => {
  const shown = ['from nothing', 'no-op', 'drift', 'removal', 'read-only dry run'] as const;
  const cells = shown.map((name) => ({
    file: 'x',
    type: 'package',
    backend: 'apt',
    case: name,
    kind: 'real' as const,
  }));
  const other = { ...cells[0]!, backend: 'dnf', case: 'bad parameters' as const };
  const some = coverageRows(toRecord([...cells, ...cells, other]), ['package']).slice(0, 1);
  t.same(unexplainedCells(some, []), ['package apt: interruption'], 'parameters are shared');
  const reason = { type: 'package', cases: ['interruption', 'drift'], reason: '' } as const;
  t.same(unexplainedCells(some, [reason]), []);
  t.same(staleReasons(some, [reason]), ['package : drift']);
  t.match(coveragePage(some, [reason]), /\| `package` \| apt \| real \| real \| real \|/);
});
