import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { systemdDropinType } from '../../../../agent/executors/linux/systemd-dropin.ts';
import type { RunRequest } from '../../../../agent/platform/platform.ts';
import { proveExecutor, refusedCases } from '../../../support/executor-harness.ts';
import {
  arrange,
  type SimulatedTool,
  simulatedMachine,
} from '../../../support/simulated-machine.ts';

const having = (files: Record<string, string>) => (root: string) => arrange(root, files);
const gone = (path: string) => (root: string, t: Test) => t.notOk(existsSync(root + path));
const holds = (path: string, text: string) => (root: string, t: Test) =>
  t.equal(readFileSync(root + path, 'utf8'), text);

const calls: RunRequest[] = [];
const reload: SimulatedTool = () => undefined;
const dropin = '/etc/systemd/system/web.service.d/override.conf';
const limit = { unit: 'web.service', content: '[Service]\nMemoryMax=1G' };
const limited = '[Service]\nMemoryMax=1G\n';
const booted = (files: Record<string, string> = {}) =>
  having({ '/run/systemd/system/x': '', ...files });
const note =
  '/run/vigo-pending/systemd%3a%2fetc%2fsystemd%2fsystem%2fweb.service.d%2foverride.conf';

t.test('a drop-in is what is declared, and systemd knows it', async (t) => {
  await proveExecutor(
    t,
    systemdDropinType,
    [
      {
        name: 'from nothing',
        parameters: limit,
        arrange: booted(),
        action: 'created',
        check: (root, t) => {
          holds(dropin, limited)(root, t);
          gone(note)(root, t);
        },
      },
      {
        name: 'as declared',
        parameters: limit,
        arrange: booted({ [dropin]: limited }),
        action: 'none',
      },
      {
        name: 'edited',
        parameters: limit,
        arrange: booted({ [dropin]: 'x' }),
        action: 'updated',
        check: holds(dropin, limited),
      },
      {
        name: 'killed before systemd was told',
        parameters: limit,
        arrange: (root) => {
          booted({ [dropin]: limited })(root);
          mkdirSync(root + note, { recursive: true });
        },
        action: 'updated',
        reason: /systemd has not read/,
        check: gone(note),
      },
      {
        name: 'absent, and the empty directory goes',
        parameters: { unit: 'web.service', state: 'absent' },
        arrange: booted({ [dropin]: limited }),
        action: 'deleted',
        check: gone('/etc/systemd/system/web.service.d'),
      },
      {
        name: 'absent beside another one',
        parameters: { unit: 'web.service', state: 'absent' },
        arrange: booted({ [dropin]: limited, '/etc/systemd/system/web.service.d/other.conf': 'x' }),
        action: 'deleted',
        check: holds('/etc/systemd/system/web.service.d/other.conf', 'x'),
      },
      {
        name: 'absent already',
        parameters: { unit: 'web.service', state: 'absent' },
        arrange: booted(),
        action: 'none',
      },
      ...refusedCases(limit, [
        { unit: 'web' },
        { unit: '../x.service' },
        { dropin: 'a/b' },
        { content: '' },
      ]),
    ],
    {
      platform: simulatedMachine({ systemctl: reload }, calls),
      interrupted: 'first-of-each-action',
    },
  );
  t.ok(calls.length > 0 && calls.every(({ argv }) => argv.includes('daemon-reload')));
});
