import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import t from 'tap';
import type { ResourceOutcome } from '../../../agent/converge/result.ts';
import { resourceTypes } from '../../../agent/executors/registry.ts';
import { requires } from '../../support/requires.ts';

const child = new URL('./dry-run-child.ts', import.meta.url).pathname;
const timeout = 120_000;

const skip = requires('root', 'linux', 'command:unshare', 'command:mount');
t.test('the dry run of every type works where nothing can be written', { skip }, async (t) => {
  const program = [process.execPath, '--disable-warning=ExperimentalWarning', child] as const;
  const { stdout } = await promisify(execFile)('unshare', ['--mount', '--', ...program], {
    timeout,
  });
  const { writable, told } = JSON.parse(stdout) as {
    writable: boolean;
    told: Record<string, ResourceOutcome[]>;
  };
  t.equal(writable, false, 'the machine is really read-only');
  t.same(Object.keys(told).sort(), [...resourceTypes.keys()].sort());
  for (const [type, outcomes] of Object.entries(told)) {
    const reached = outcomes.some(({ errorCode }) => !errorCode.startsWith('POLICY_'));
    t.ok(reached, `${type} has a documented example that can be dry-run`);
    for (const { errorCode, reason, action } of outcomes) {
      t.not(errorCode, 'AGENT_READ_ONLY_FILE_SYSTEM', `${type} wrote: ${reason}`);
      t.notMatch(reason, /EROFS|Read-only file system/i, `${type} wrote`);
      t.not(errorCode, 'AGENT_INTERNAL', `${type}: ${reason}`);
      t.not(errorCode, 'POLICY_PARAMETER_INVALID', `${type}: ${action} ${reason}`);
    }
  }
});
