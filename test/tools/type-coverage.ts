/**
 * Runs the tests of resource types and writes what they showed to test/corpus/type-coverage.json and
 * docs/reference/type-coverage.md. Test files as arguments: only those are run, what the others showed
 * before is kept. `--lab`: also the real hosts. `--page`: runs nothing. `--from CELLS`: takes what another run
 * has recorded, such as `VIGO_TYPE_COVERAGE=CELLS npm test`.
 */
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resourceTypes } from '../../agent/executors/registry.ts';
import {
  type CoverageRecord,
  coveragePage,
  coverageRows,
  toRecord,
  unexplainedCells,
} from '../support/coverage-table.ts';
import { noCells } from '../support/type-backends.ts';
import { coverageVariable, type RecordedCell } from '../support/type-coverage.ts';
import { runFiles } from './run-files.ts';

const project = new URL('../..', import.meta.url).pathname;
const recordPath = join(project, 'test/corpus/type-coverage.json');
const pagePath = join(project, 'docs/reference/type-coverage.md');
const fileTimeoutSeconds = 900;

function testFiles(words: readonly string[]): string[] {
  const named = words.filter((word) => !word.startsWith('--'));
  if (named.length > 0 || words.includes('--page')) return named;
  const patterns = [
    'test/agent/executors/**/*.test.ts',
    ...(words.includes('--lab') ? ['test/lab/*.lab.test.ts'] : []),
  ];
  return patterns.flatMap((pattern) => globSync(pattern, { cwd: project })).sort();
}

/** What these files show; a file that fails ends the program. */
async function run(files: readonly string[]): Promise<RecordedCell[]> {
  if (files.length === 0) return [];
  const place = mkdtempSync(join(tmpdir(), 'vigo-coverage-'));
  try {
    const collected = join(place, 'cells');
    writeFileSync(collected, '');
    const options = {
      directory: project,
      jobs: 1,
      timeoutSeconds: fileTimeoutSeconds,
      environment: { [coverageVariable]: collected },
      prefix: [],
    };
    for await (const { file, ok, output } of runFiles(files, options)) {
      console.log(`${ok ? '✓' : '✗'} ${file}`);
      if (!ok) throw new Error(`nothing was written:\n${output.join('\n')}`);
    }
    return readCells(collected);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

function readCells(path: string): RecordedCell[] {
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line): RecordedCell => JSON.parse(line));
}

const from = process.argv[2] === '--from' ? process.argv[3] : undefined;
const recorded = from === undefined ? undefined : toRecord(readCells(from));
const files = recorded ? Object.keys(recorded) : testFiles(process.argv.slice(2));
const before: CoverageRecord = existsSync(recordPath)
  ? JSON.parse(readFileSync(recordPath, 'utf8'))
  : {};
const kept = Object.entries(before).filter(
  ([file]) => !files.includes(file) && existsSync(join(project, file)),
);
const all = { ...Object.fromEntries(kept), ...(recorded ?? toRecord(await run(files))) };
const record = Object.fromEntries(
  Object.entries(all).sort(([one], [other]) => (one < other ? -1 : 1)),
);
writeFileSync(recordPath, `${JSON.stringify(record, null, 1)}\n`);
const rows = coverageRows(record, [...resourceTypes.keys()]);
writeFileSync(pagePath, coveragePage(rows, noCells));
const missing = unexplainedCells(rows, noCells);
console.log(missing.length === 0 ? 'every cell is filled or explained' : missing.join('\n'));
