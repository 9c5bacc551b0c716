import { chmodSync, lstatSync, readFileSync } from 'node:fs';
import type { Test } from 'tap';
import type { AnyResourceType } from '../../agent/executors/contract.ts';
import type { PolicyValue } from '../../agent/protocol/bundle.ts';
import { type ExecutorCase, proveExecutor } from './executor-harness.ts';
import { arrange } from './simulated-machine.ts';

type Parameters = Readonly<Record<string, PolicyValue>>;

/** What is declared, the file before and after; the same text twice means: nothing to do. */
export type EditRow = readonly [
  name: string,
  parameters: Parameters,
  before: string,
  after: string,
];
/** What is declared, the file, the code of the failure. The file stays as it is. */
export type RefusalRow = readonly [
  name: string,
  parameters: Parameters,
  file: string | undefined,
  code: string,
];

const mode = 0o640;

/** Proves an editor of text files by rows; `base` are the parameters that all rows share. */
export function proveTextEdits(
  t: Test,
  type: AnyResourceType,
  path: string,
  base: Parameters,
  rows: { readonly edits: readonly EditRow[]; readonly refusals: readonly RefusalRow[] },
): Promise<void> {
  const having = (text: string | undefined) => (root: string) => {
    if (text === undefined) return;
    arrange(root, { [path]: text });
    chmodSync(root + path, mode);
  };
  const holds = (text: string) => (root: string, t: Test) => {
    t.equal(readFileSync(root + path, 'utf8'), text);
    t.equal(lstatSync(root + path).mode & 0o7777, mode, 'the mode is kept');
  };
  const edits = rows.edits.map(
    ([name, parameters, before, after]): ExecutorCase => ({
      name,
      parameters: { ...base, ...parameters },
      arrange: having(before),
      action: before === after ? 'none' : 'updated',
      check: holds(after),
    }),
  );
  const refusals = rows.refusals.map(
    ([name, parameters, file, errorCode]): ExecutorCase => ({
      name: `refused: ${name}`,
      parameters: { ...base, ...parameters },
      arrange: having(file),
      action: 'failed',
      errorCode,
      ...(file === undefined ? {} : { check: holds(file) }),
    }),
  );
  return proveExecutor(t, type, [...edits, ...refusals]);
}
