import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import t, { type Test } from 'tap';
import { tmpfileType } from '../../../../agent/executors/linux/tmpfile.ts';
import { proveExecutor, refusedCases } from '../../../support/executor-harness.ts';
import { fc } from '../../../support/property.ts';
import {
  arrange,
  type SimulatedTool,
  simulatedMachine,
} from '../../../support/simulated-machine.ts';

const header = '# Managed by vigo; changes made here are undone.\n';
const gone = (path: string) => (root: string, t: Test) => t.notOk(existsSync(root + path));
const holds = (path: string, text: string) => (root: string, t: Test) =>
  t.equal(readFileSync(root + path, 'utf8'), text);

/** Makes what the entry says, as far as these tests declare it. */
const tmpfiles: SimulatedTool = ([, path], root) => {
  const [, line] = readFileSync(root + path!, 'utf8').split('\n');
  const [, place, mode] = line!.split(' ');
  mkdirSync(root + place!, { recursive: true });
  chmodSync(root + place!, Number.parseInt(mode!, 8));
  return undefined;
};
const entry = '/etc/tmpfiles.d/app.conf';
const text = `${header}d /run/app 0750 - - 10d\n`;
const volatile = { name: 'app', path: '/run/app', mode: '0750', age: '10d' };
const made = (root: string, t: Test) => {
  holds(entry, text)(root, t);
  t.ok(existsSync(`${root}/run/app`));
};
const both = (root: string) => {
  arrange(root, { [entry]: text });
  mkdirSync(`${root}/run/app`, { recursive: true });
  chmodSync(`${root}/run/app`, 0o750);
};

t.test('a volatile directory is there now and after every boot', (t) =>
  proveExecutor(
    t,
    tmpfileType,
    [
      { name: 'from nothing', parameters: volatile, action: 'created', check: made },
      { name: 'as declared', parameters: volatile, arrange: both, action: 'none' },
      {
        name: 'somebody removed the directory',
        parameters: volatile,
        arrange: (root) => {
          both(root);
          rmSync(`${root}/run/app`, { recursive: true });
        },
        action: 'updated',
        reason: /\/run\/app is missing/,
        check: made,
      },
      {
        name: 'opened to all',
        parameters: volatile,
        arrange: (root) => {
          both(root);
          chmodSync(`${root}/run/app`, 0o777);
        },
        action: 'updated',
        reason: /mode 0777 -> 0750/,
        check: made,
      },
      {
        name: 'the entry edited',
        parameters: volatile,
        arrange: (root) => {
          both(root);
          arrange(root, { [entry]: '#' });
        },
        action: 'updated',
        check: made,
      },
      {
        name: 'absent',
        parameters: { name: 'app', state: 'absent' },
        arrange: both,
        action: 'deleted',
        check: (root, t) => {
          gone(entry)(root, t);
          t.ok(existsSync(`${root}/run/app`));
        },
      },
      ...refusedCases(volatile, [
        { path: 'run/app' },
        { path: '' },
        { entry_type: 'k' },
        { mode: '9' },
        { age: 'x' },
        { name: 'a/b' },
        { entry_type: 'L' },
        { user: 'a b' },
      ]),
      {
        name: 'an owner that does not exist',
        parameters: { ...volatile, user: 'ghost' },
        action: 'failed',
        errorCode: 'AGENT_USER_UNKNOWN',
      },
    ],
    {
      platform: simulatedMachine({ 'systemd-tmpfiles': tmpfiles, getent: () => ({ exitCode: 2 }) }),
    },
  ),
);

t.test('no path or argument becomes a second entry', async () => {
  const value = fc.string({ unit: fc.constantFrom('a', '/', '"', '\\', '\n', ' ', "'", '#') });
  fc.assert(
    fc.property(value, value, (path, argument) => {
      try {
        const { file } = tmpfileType.parse({
          name: 'x',
          path: `/${path}`,
          argument,
          entry_type: 'f',
        });
        if (file.content!.split('\n').length !== 3) throw new Error(JSON.stringify(file.content));
      } catch (error) {
        if ((error as { code?: string }).code !== 'POLICY_PARAMETER_INVALID') throw error;
      }
    }),
    { numRuns: 2000 },
  );
});
