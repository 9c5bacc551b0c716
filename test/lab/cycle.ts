import type { Test } from 'tap';
import type { Action } from '../../agent/executors/contract.ts';
import type { PolicyValue } from '../../agent/protocol/bundle.ts';
import type { Host } from './lab.ts';
import { convergeOne } from './resources.ts';

export interface Cycle {
  readonly type: string;
  readonly parameters: Readonly<Record<string, PolicyValue>>;
  /** Shell text that brings the host out of the declared state, as a person would by hand. */
  readonly damage?: string;
  readonly action: Action;
  readonly reason?: RegExp;
}

/** Everything that the five types may touch; the change time betrays any write. */
const fingerprintCommand = [
  'sh',
  '-c',
  `find /etc /home /var/lib/dpkg /var/lib/apt /var/cache/apt /usr/bin \\
    -printf '%p %m %U:%G %s %C@ %l\\n' 2>/dev/null | sort | sha256sum
  systemctl list-units --all --no-legend --plain cron.service 'lab-*' | awk '{print $1,$2,$3,$4}'`,
];

/**
 * The whole promise for one declaration: after the damage a dry run predicts the repair and writes
 * nothing, the real pass does what was predicted, and the pass after it changes nothing.
 */
export async function repairs(t: Test, host: Host, cycle: Cycle): Promise<void> {
  const { type, parameters } = cycle;
  if (cycle.damage !== undefined) await host.must(['sh', '-ec', cycle.damage]);
  const before = await host.must(fingerprintCommand);
  const predicted = await convergeOne(host, type, parameters, { dryRun: true });
  t.equal(await host.must(fingerprintCommand), before, 'a dry run writes nothing');
  const done = await convergeOne(host, type, parameters);
  t.match(done, { action: cycle.action, errorCode: '' }, done.reason);
  t.equal(predicted.action, done.action, 'the dry run told the truth');
  if (cycle.reason !== undefined) t.match(done.reason, cycle.reason);
  const again = await convergeOne(host, type, parameters);
  t.equal(again.action, 'none', `a second pass changes nothing: ${again.reason}`);
}
