import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { serviceType } from '../../../../agent/executors/unix/service.ts';
import { parseShow } from '../../../../agent/platform/services/systemd.ts';
import {
  type ExecutorCase,
  proveExecutor,
  refusedCases,
} from '../../../support/executor-harness.ts';
import {
  arrange,
  type SimulatedTool,
  simulatedMachine,
} from '../../../support/simulated-machine.ts';

/** What the simulated systemd keeps of its only unit, in a file of the tree. */
interface Unit {
  readonly load: 'loaded' | 'not-found' | 'masked';
  readonly active: 'active' | 'inactive' | 'failed';
  readonly file: string;
  readonly stale?: boolean;
  readonly log?: string;
}

const place = '/run/unit.json';
const read = (root: string): Unit => JSON.parse(readFileSync(`${root}${place}`, 'utf8'));
const having = (unit: Unit) => (root: string) =>
  arrange(root, { '/run/systemd/system/x': '', [place]: JSON.stringify(unit) });

const effects: Readonly<Record<string, (unit: Unit) => Partial<Unit>>> = {
  start: () => ({ active: 'active' }),
  stop: () => ({ active: 'inactive' }),
  restart: () => ({ active: 'active' }),
  'reload-or-restart': () => ({ active: 'active' }),
  enable: () => ({ file: 'enabled' }),
  disable: () => ({ file: 'disabled' }),
  unmask: () => ({ load: 'loaded', file: 'disabled' }),
  'daemon-reload': () => ({ stale: false }),
};

const systemctl: SimulatedTool = (words, root) => {
  const unit = read(root);
  if (words[0] === 'show')
    return {
      stdout: [
        `LoadState=${unit.load}`,
        `ActiveState=${unit.active}`,
        `SubState=${unit.active === 'active' ? 'running' : 'dead'}`,
        `UnitFileState=${unit.file}`,
        `NeedDaemonReload=${unit.stale ? 'yes' : 'no'}`,
      ].join('\n'),
    };
  const verb = words.find((word) => !word.startsWith('--'))!;
  const log = [unit.log, verb].filter((word) => word !== undefined).join(' ');
  writeFileSync(`${root}${place}`, JSON.stringify({ ...unit, ...effects[verb]!(unit), log }));
  return undefined;
};
const shell: SimulatedTool = ([, command], root) => {
  writeFileSync(`${root}/run/${command}`, '');
  return undefined;
};

const up: Unit = { load: 'loaded', active: 'active', file: 'enabled' };
const running = { service: 'web', state: 'running', enabled: true };
const isUp = (root: string, t: Test) => t.match(read(root), up);

const cases: readonly ExecutorCase[] = [
  { name: 'as declared', parameters: running, arrange: having(up), action: 'none' },
  {
    name: 'stopped',
    parameters: running,
    arrange: having({ ...up, active: 'inactive' }),
    action: 'updated',
    check: isUp,
  },
  {
    name: 'failed and disabled',
    parameters: running,
    arrange: having({ ...up, active: 'failed', file: 'disabled' }),
    action: 'updated',
    check: isUp,
  },
  {
    name: 'masked',
    parameters: running,
    arrange: having({ load: 'masked', active: 'inactive', file: 'masked' }),
    action: 'updated',
    check: isUp,
  },
  {
    name: 'a definition that changed is read again first',
    parameters: { service: 'web.service', state: 'restarted' },
    arrange: having({ ...up, stale: true }),
    action: 'updated',
    check: (root, t) => t.match(read(root).log, /^daemon-reload.* restart$/),
    second: 'updated',
  },
  {
    name: 'reloaded by a command of its own',
    parameters: { service: 'web', state: 'reloaded', reload_command: 'told' },
    arrange: having(up),
    action: 'updated',
    check: (root, t) => t.ok(existsSync(`${root}/run/told`)),
    second: 'updated',
  },
  {
    name: 'stopped and disabled',
    parameters: { service: 'web', state: 'stopped', enabled: false },
    arrange: having(up),
    action: 'updated',
    check: (root, t) => t.match(read(root), { active: 'inactive', file: 'disabled' }),
  },
  {
    name: 'enabled is left alone when nothing is said of it',
    parameters: { service: 'web' },
    arrange: having({ ...up, file: 'disabled' }),
    action: 'none',
  },
  {
    name: 'what cannot be enabled is no drift',
    parameters: running,
    arrange: having({ ...up, file: 'static' }),
    action: 'none',
  },
  {
    name: 'stopped, and not there at all',
    parameters: { service: 'web', state: 'stopped', enabled: false },
    arrange: having({ load: 'not-found', active: 'inactive', file: '' }),
    action: 'none',
  },
];

t.test('a service is what is declared, whatever it was', (t) =>
  proveExecutor(t, serviceType, cases, {
    platform: simulatedMachine({ '/usr/bin/systemctl': systemctl, '/bin/sh': shell }),
    backend: 'systemd',
  }),
);

t.test('parameters that make no service are refused', (t) =>
  proveExecutor(
    t,
    serviceType,
    refusedCases({ service: 'web' }, [
      { service: '' },
      { service: '--now' },
      { service: 'a/b' },
      { state: 'paused' },
      { enabled: 'perhaps' },
    ]),
    { platform: simulatedMachine({}), backend: 'systemd' },
  ),
);

t.test('a name that is no unit never reaches systemctl', async (t) => {
  for (const service of ['', '-a', '--now', 'a b', 'a/b', 'a\n', '../x', 'x'.repeat(300)])
    t.throws(() => serviceType.parse({ service }), { code: 'POLICY_PARAMETER_INVALID' });
  for (const service of ['nginx', 'getty@tty1', 'a.socket', 'dev-disk\\x2did.mount'])
    t.match(serviceType.parse({ service }), { service, state: 'running' });
});

t.test('states of systemd are read as a person means them', async (t) => {
  const show = (active: string, sub: string, file = 'enabled') =>
    parseShow(
      'x',
      `LoadState=loaded\nActiveState=${active}\nSubState=${sub}\nUnitFileState=${file}\n`,
    );
  t.equal(show('active', 'exited').activity, 'running', 'a one-shot that stays active');
  t.equal(show('activating', 'auto-restart').activity, 'restarting', 'a crash loop is not running');
  t.equal(show('failed', 'failed').activity, 'stopped');
  t.equal(show('active', 'running', 'enabled-runtime').boot, 'disabled', 'gone at the next boot');
  t.equal(show('active', 'running', 'masked-runtime').boot, 'masked');
  t.equal(parseShow('x', '').exists, false);
});
