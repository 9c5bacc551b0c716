import type { Test } from 'tap';
import type { Action } from '../../agent/executors/contract.ts';
import type { KernelHost } from './kernel-host.ts';
import { converge, type LabResource } from './resources.ts';

/** Everything that the declarations of these tests reach; the change time betrays any write. */
const fingerprintCommand = [
  'sh',
  '-c',
  `find /etc /srv /swapfile -printf '%p %m %U:%G %s %C@ %l %Z\\n' 2>/dev/null | sort | sha256sum
  cut -d' ' -f1 /proc/modules; cat /proc/swaps; cut -d' ' -f1-6 /proc/mounts; hostname
  sysctl -n kernel.pid_max vm.swappiness fs.file-max`,
];

/** What a pass is to do with each declaration, by its name. */
export type Expected = Readonly<Record<string, Action>>;

/**
 * One round over all declarations of a host at once, a pass being the dear part: a dry run predicts
 * and writes nothing, the real pass does what was predicted, and the one after it changes nothing.
 */
export async function round(
  t: Test,
  host: KernelHost,
  resources: readonly LabResource[],
  expected: Expected,
): Promise<void> {
  const before = await host.must(fingerprintCommand);
  const predicted = await converge(host, resources, { dryRun: true });
  t.equal(await host.must(fingerprintCommand), before, 'a dry run writes nothing');
  const done = await converge(host, resources);
  for (const [index, outcome] of done.resources.entries()) {
    const { name = '' } = resources[index]!;
    const wanted = expected[name] ?? 'none';
    t.match(outcome, { action: wanted, errorCode: '' }, `${name}: ${outcome.reason}`);
    t.equal(predicted.resources[index]?.action, wanted, `${name}: the dry run told the truth`);
  }
  await settled(t, host, resources);
}

/** A pass that finds everything as declared. */
export async function settled(
  t: Test,
  host: KernelHost,
  resources: readonly LabResource[],
): Promise<void> {
  const { resources: outcomes } = await converge(host, resources);
  for (const [index, outcome] of outcomes.entries()) {
    const { name = '' } = resources[index]!;
    t.equal(outcome.action, 'none', `${name}: nothing to do: ${outcome.reason}`);
  }
}
