import { lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { hostnameType } from '../../../../agent/executors/unix/hostname.ts';
import { proveExecutor, refusedCases } from '../../../support/executor-harness.ts';
import {
  arrange,
  type SimulatedTool,
  simulatedMachine,
} from '../../../support/simulated-machine.ts';

const setName: SimulatedTool = (words, root) => {
  writeFileSync(`${root}/proc/sys/kernel/hostname`, `${words.at(-1)}\n`);
  return undefined;
};
const named =
  (declared: string | undefined, running: string, systemd = true) =>
  (root: string) => {
    arrange(root, { '/proc/sys/kernel/hostname': `${running}\n`, '/etc/x': '' });
    if (systemd) mkdirSync(`${root}/run/systemd/system`, { recursive: true });
    if (declared !== undefined) arrange(root, { '/etc/hostname': declared });
  };
const isWeb = (root: string, t: Test) => {
  t.equal(readFileSync(`${root}/etc/hostname`, 'utf8').split('\n').at(-2), 'web01');
  t.equal(readFileSync(`${root}/proc/sys/kernel/hostname`, 'utf8'), 'web01\n');
};
const web = { hostname: 'web01' };

t.test('the name of the node is what is declared', (t) =>
  proveExecutor(
    t,
    hostnameType,
    [
      {
        name: 'another name',
        parameters: web,
        arrange: named('old\n', 'old'),
        action: 'updated',
        reason: /says old, the node calls itself old/,
        check: isWeb,
      },
      {
        name: 'no file',
        parameters: web,
        arrange: named(undefined, 'old'),
        action: 'updated',
        check: isWeb,
      },
      {
        name: 'as declared, with a comment',
        parameters: web,
        arrange: named('# x\nweb01\n', 'web01'),
        action: 'none',
      },
      {
        name: 'only the kernel drifted',
        parameters: web,
        arrange: named('web01\n', 'old'),
        action: 'updated',
        check: isWeb,
      },
      {
        name: 'only the file drifted',
        parameters: web,
        arrange: named('old\n', 'web01'),
        action: 'updated',
        check: isWeb,
      },
      {
        name: 'without systemd',
        parameters: web,
        arrange: named('old\n', 'old', false),
        action: 'updated',
        check: isWeb,
      },
      ...refusedCases(
        {},
        ['a b', '-a', 'a..b', 'a'.repeat(65), 'x\ny', 'web_1'].map((hostname) => ({ hostname })),
      ),
    ],
    {
      platform: simulatedMachine({ hostnamectl: setName, hostname: setName }),
      interrupted: 'first-of-each-action',
    },
  ),
);

t.test('in a confined root only the file is written', (t) =>
  proveExecutor(t, hostnameType, [
    {
      name: 'confined',
      parameters: web,
      arrange: named('old\n', 'old'),
      action: 'updated',
      check: (root, t) => {
        t.equal(readFileSync(`${root}/etc/hostname`, 'utf8'), 'web01\n');
        t.equal(readFileSync(`${root}/proc/sys/kernel/hostname`, 'utf8'), 'old\n');
        t.equal(lstatSync(`${root}/etc/hostname`).mode & 0o777, 0o644);
      },
    },
  ]),
);
