import { appendFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { Action } from '../../agent/executors/contract.ts';

/** What a test has to show of every resource type on every back-end. */
export const coverageCases = [
  'from nothing',
  'no-op',
  'drift',
  'removal',
  'bad parameters',
  'read-only dry run',
  'interruption',
  'trouble',
] as const;
export type CoverageCase = (typeof coverageCases)[number];

/**
 * real: the operating system's own files and programs. recorded: programs played from what real ones
 * printed. simulated: real files, and programs played by the test.
 */
export const coverageKinds = ['real', 'recorded', 'simulated'] as const;
export type CoverageKind = (typeof coverageKinds)[number];

export interface CoverageCell {
  readonly type: string;
  /** "" for a type that is the same everywhere. */
  readonly backend: string;
  readonly case: CoverageCase;
  readonly kind: CoverageKind;
}

/** Names the file that `node test/tools/type-coverage.ts` collects cells in, one line of JSON each. */
export const coverageVariable = 'VIGO_TYPE_COVERAGE';

export interface RecordedCell extends CoverageCell {
  /** The test file, relative to the project. */
  readonly file: string;
}

const project = new URL('../..', import.meta.url).pathname;

export function recordCoverage(cell: CoverageCell): void {
  const record = process.env[coverageVariable];
  if (record === undefined) return;
  const file = relative(project, process.argv[1] ?? '');
  appendFileSync(record, `${JSON.stringify({ ...cell, file } satisfies RecordedCell)}\n`);
}

/** Which case the outcome of a resource is an instance of. */
export function caseOf(outcome: {
  readonly action: Action;
  readonly errorCode: string;
}): CoverageCase {
  switch (outcome.action) {
    case 'created':
      return 'from nothing';
    case 'updated':
      return 'drift';
    case 'deleted':
      return 'removal';
    case 'none':
    case 'skipped':
      return 'no-op';
    default:
      return outcome.errorCode === 'POLICY_PARAMETER_INVALID' ? 'bad parameters' : 'trouble';
  }
}
