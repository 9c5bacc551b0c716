import { existsSync, readFileSync, readlinkSync, symlinkSync } from 'node:fs';
import t, { type Test } from 'tap';
import { timezoneType } from '../../../../agent/executors/unix/timezone.ts';
import { proveExecutor } from '../../../support/executor-harness.ts';
import { arrange } from '../../../support/simulated-machine.ts';

const having = (files: Record<string, string>) => (root: string) => arrange(root, files);
const zone = (name: string) => ({ [`/usr/share/zoneinfo/${name}`]: 'TZif2' });
const berlin = { timezone: 'Europe/Berlin' };
const inBerlin = (root: string, t: Test) => {
  t.equal(readlinkSync(`${root}/etc/localtime`), '../usr/share/zoneinfo/Europe/Berlin');
  if (existsSync(`${root}/etc/timezone`))
    t.equal(readFileSync(`${root}/etc/timezone`, 'utf8'), 'Europe/Berlin\n');
};
const linked =
  (target: string, files: Record<string, string> = {}) =>
  (root: string) => {
    arrange(root, { ...zone('Europe/Berlin'), ...zone('UTC'), '/etc/x': '', ...files });
    symlinkSync(target, `${root}/etc/localtime`);
  };

t.test('the time zone is what is declared', (t) =>
  proveExecutor(
    t,
    timezoneType,
    [
      {
        name: 'another one',
        parameters: berlin,
        arrange: linked('/usr/share/zoneinfo/UTC', { '/etc/timezone': 'UTC\n' }),
        action: 'updated',
        reason: /is UTC, not Europe/,
        check: inBerlin,
      },
      {
        name: 'not set',
        parameters: berlin,
        arrange: having({ ...zone('Europe/Berlin'), '/etc/x': '' }),
        action: 'updated',
        check: inBerlin,
      },
      {
        name: 'as declared, linked absolutely',
        parameters: berlin,
        arrange: linked('/usr/share/zoneinfo/Europe/Berlin', {
          '/etc/timezone': 'Europe/Berlin\n',
        }),
        action: 'none',
      },
      {
        name: 'a copy instead of a link',
        parameters: berlin,
        arrange: having({ ...zone('Europe/Berlin'), '/etc/localtime': 'TZif2' }),
        action: 'updated',
        check: inBerlin,
      },
      {
        name: 'Debian says another one',
        parameters: berlin,
        arrange: linked('../usr/share/zoneinfo/Europe/Berlin', { '/etc/timezone': 'UTC\n' }),
        action: 'updated',
        check: inBerlin,
      },
      {
        name: 'a directory is left',
        parameters: berlin,
        arrange: having({ ...zone('Europe/Berlin'), '/etc/localtime/x': '' }),
        action: 'failed',
        errorCode: 'AGENT_PATH_OCCUPIED',
      },
      {
        name: 'an unknown zone',
        parameters: { timezone: 'Europe/Atlantis' },
        action: 'failed',
        errorCode: 'AGENT_TIMEZONE_UNKNOWN',
      },
      {
        name: 'no zone',
        parameters: { timezone: '../../etc/passwd' },
        action: 'failed',
        errorCode: 'POLICY_PARAMETER_INVALID',
      },
    ],
    { interrupted: 'first-of-each-action' },
  ),
);
