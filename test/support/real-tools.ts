import type { Test } from 'tap';
import { createEngine } from '../../agent/converge/engine.ts';
import type { ResourceOutcome } from '../../agent/converge/result.ts';
import type { Action, AnyResourceType } from '../../agent/executors/contract.ts';
import { typeRegistry } from '../../agent/executors/registry.ts';
import { NodeProcesses } from '../../agent/platform/node-processes.ts';
import type { Platform } from '../../agent/platform/platform.ts';
import type { PolicyValue } from '../../agent/protocol/bundle.ts';
import { treeDigest } from './executor-harness.ts';
import { resourceBundle } from './resource-bundle.ts';
import { simulatedMachine } from './simulated-machine.ts';
import { caseOf, recordCoverage } from './type-coverage.ts';

/** Declared paths lie below a directory, but the programs are the real ones of this machine. */
export function realToolsBelow(
  root: string,
  environment: Readonly<Record<string, string>>,
): Platform {
  const processes = new NodeProcesses();
  return {
    ...simulatedMachine({})(root),
    processes: {
      run: (request) =>
        processes.run({ ...request, environment: { ...request.environment, ...environment } }),
      signal: (pid, name) => processes.signal(pid, name),
    },
  };
}

export interface RealStep {
  readonly parameters: Readonly<Record<string, PolicyValue>>;
  readonly action: Action;
  readonly reason?: RegExp;
  readonly errorCode?: string;
  /** What a dry run says, where it cannot know what stands in the way. Default: the same. */
  readonly predicted?: Action;
}

/**
 * One step after the other on one machine: a dry run says the same and leaves the tree as it was, the
 * pass does what is expected, the next one nothing.
 */
export async function proveRealStep(
  t: Test,
  type: AnyResourceType,
  machine: { readonly root: string; readonly platform: Platform; readonly backend?: string },
  step: RealStep,
): Promise<void> {
  const { root, platform, backend = '' } = machine;
  const pass = async (dryRun: boolean): Promise<ResourceOutcome> => {
    const engine = createEngine({ platform, registry: typeRegistry([type]) });
    const document = resourceBundle({ type: type.name, parameters: step.parameters });
    return (await engine.pass({ document, traits: {}, dryRun })).resources[0]!;
  };
  const cell = { type: type.name, backend, kind: 'real' } as const;
  const before = treeDigest(root);
  const predicted = await pass(true);
  t.same(treeDigest(root), before, 'a dry run leaves the tree as it was');
  t.equal(predicted.action, step.predicted ?? step.action, `predicted: ${predicted.reason}`);
  const done = await pass(false);
  t.equal(done.action, step.action, `done: ${done.errorCode} ${done.reason}`);
  if (step.reason !== undefined) t.match(done.reason, step.reason);
  if (step.errorCode !== undefined) t.equal(done.errorCode, step.errorCode, done.reason);
  recordCoverage({ ...cell, case: caseOf(done) });
  if (!['created', 'updated', 'deleted'].includes(step.action)) return;
  const settled = treeDigest(root);
  const again = await pass(false);
  t.equal(again.action, 'none', `the second pass: ${again.reason}`);
  t.same(treeDigest(root), settled, 'and leaves the tree as it was');
  recordCoverage({ ...cell, case: 'no-op' });
}
