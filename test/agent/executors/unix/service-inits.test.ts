import { existsSync, readdirSync } from 'node:fs';
import t, { type Test } from 'tap';
import { createServiceType } from '../../../../agent/executors/unix/service.ts';
import type { Platform } from '../../../../agent/platform/platform.ts';
import { type ExecutorCase, proveExecutor } from '../../../support/executor-harness.ts';
import { arrange, simulatedMachine } from '../../../support/simulated-machine.ts';
import {
  alive,
  chkconfig,
  daemonPid,
  ends,
  link,
  logOf,
  lsbScript,
  program,
  rcService,
  rcUpdate,
  runs,
  scanServices,
  serviceTool,
  startDaemon,
  supervise,
  supervisorPid,
  sv,
  unlink,
  updateRcD,
} from '../../../support/simulated-services.ts';

/** What an init system is to the table below. */
interface InitSystem {
  /** The machine with the service in its definition only: stopped, not started at boot. */
  readonly install: (root: string) => void;
  readonly up: (root: string) => void;
  readonly boot: (root: string) => void;
  /** The daemon dies without a word to anybody. */
  readonly killed: (root: string) => void;
  readonly startsAtBoot: (root: string) => boolean;
  readonly reloadLog: RegExp;
}

const service = createServiceType();
// The rows act alike; the first that does is interrupted at each of its calls.
const interrupted = 'first-of-each-action';

/** The same promises on every init system, in the words of the policy. */
function rows(init: InitSystem): ExecutorCase[] {
  const { install, up, boot, killed, startsAtBoot, reloadLog } = init;
  const all =
    (...steps: ((root: string) => void)[]) =>
    (root: string) => {
      for (const step of [install, ...steps]) step(root);
    };
  const is = (running: boolean, enabled: boolean) => (root: string, t: Test) => {
    t.equal(alive(root), running, `runs: ${running}`);
    t.equal(startsAtBoot(root), enabled, `starts at boot: ${enabled}`);
  };
  const both = { service: 'web', state: 'running', enabled: true };
  const neither = { service: 'web', state: 'stopped', enabled: false };
  const repaired = (name: string, row: Omit<ExecutorCase, 'name' | 'action'>) =>
    ({ name, action: 'updated', ...row }) as const;
  return [
    { name: 'as declared', parameters: both, arrange: all(boot, up), action: 'none' },
    {
      name: 'as declared, by the name of a unit',
      parameters: { ...both, service: 'web.service' },
      arrange: all(boot, up),
      action: 'none',
    },
    { name: 'stopped as declared', parameters: neither, arrange: all(), action: 'none' },
    repaired('from its definition', { parameters: both, arrange: all(), check: is(true, true) }),
    repaired('not at boot', { parameters: both, arrange: all(up), check: is(true, true) }),
    repaired('stopped', { parameters: both, arrange: all(boot), check: is(true, true) }),
    repaired('killed', { parameters: both, arrange: all(boot, up, killed), check: is(true, true) }),
    repaired('running against the policy', {
      parameters: neither,
      arrange: all(boot, up),
      check: is(false, false),
    }),
    repaired('enabled, yet stopped', {
      parameters: { service: 'web', state: 'stopped', enabled: true },
      arrange: all(),
      check: is(false, true),
    }),
    repaired('disabled, yet running', {
      parameters: { service: 'web', state: 'running', enabled: false },
      arrange: all(boot),
      check: is(true, false),
    }),
    repaired('started; whether at boot is left alone', {
      parameters: { service: 'web' },
      arrange: all(),
      check: is(true, false),
    }),
    {
      name: 'restarted',
      parameters: { service: 'web', state: 'restarted' },
      arrange: all(boot, up),
      action: 'updated',
      check: (root, t) => t.match(logOf(root), /^restart$/m),
      second: 'updated',
    },
    {
      name: 'reloaded',
      parameters: { service: 'web', state: 'reloaded' },
      arrange: all(boot, up),
      action: 'updated',
      check: (root, t) => t.match(logOf(root), reloadLog),
      second: 'updated',
    },
    {
      name: 'a reload of what does not run starts it',
      parameters: { service: 'web', state: 'reloaded' },
      arrange: all(boot),
      action: 'updated',
      check: is(true, true),
      second: 'updated',
    },
    {
      name: 'no such service',
      parameters: { ...both, service: 'nothing' },
      arrange: all(),
      action: 'failed',
      errorCode: 'AGENT_SERVICE_UNKNOWN',
    },
    {
      name: 'no such service, as declared',
      parameters: { ...neither, service: 'nothing' },
      arrange: all(),
      action: 'none',
    },
  ];
}

const lsbText = `#!/bin/sh
DAEMON=/usr/sbin/webd
PIDFILE=/run/webd.pid
case "$1" in
  start|stop|restart|force-reload) ;;
  status) ;;
esac
`;
const installScript = (root: string) => program(root, '/etc/init.d/web', lsbText);
const startLinks = (root: string) => readdirSync(`${root}/etc/rc2.d`).includes('S01web');
const sysv: InitSystem = {
  install: (root) => {
    installScript(root);
    program(root, '/usr/sbin/update-rc.d', '');
    program(root, '/usr/sbin/service', '');
    arrange(root, { '/etc/inittab': 'id:2:initdefault:\n', '/etc/rc2.d/README': '' });
  },
  up: startDaemon,
  boot: (root) => link(root, '/etc/rc2.d/S01web', '../init.d/web'),
  killed: (root) => ends(root, daemonPid),
  startsAtBoot: startLinks,
  reloadLog: /^force-reload$/m,
};
const sysvTools = {
  '/etc/init.d/web': lsbScript,
  '/usr/sbin/service': serviceTool,
  '/usr/sbin/update-rc.d': updateRcD,
};

t.test('services of SysV are what is declared, whatever they were', (t) =>
  proveExecutor(t, service, rows(sysv), {
    platform: simulatedMachine(sysvTools),
    interrupted,
    backend: 'SysV',
  }),
);

t.test('chkconfig keeps the links where there is no update-rc.d', (t) =>
  proveExecutor(
    t,
    service,
    rows({
      ...sysv,
      install: (root) => {
        sysv.install(root);
        unlink(root, '/usr/sbin/update-rc.d');
        program(root, '/sbin/chkconfig', '');
      },
      boot: (root) => link(root, '/etc/rc2.d/S85web', '../init.d/web'),
      startsAtBoot: (root) => readdirSync(`${root}/etc/rc2.d`).includes('S85web'),
    })
      .filter(({ name }) => ['not at boot', 'running against the policy'].includes(name))
      .reverse(),
    {
      backend: 'SysV',
      platform: simulatedMachine({
        '/etc/init.d/web': lsbScript,
        '/usr/sbin/service': serviceTool,
        '/sbin/chkconfig': chkconfig,
      }),
      interrupted,
    },
  ),
);

const openrcText = `#!/sbin/openrc-run
command=/usr/sbin/webd
pidfile="/run/webd.pid"
extra_started_commands="reload"
`;
const openrc: InitSystem = {
  install: (root) => {
    program(root, '/etc/init.d/web', openrcText);
    arrange(root, {
      '/run/openrc/softlevel': 'default',
      '/etc/runlevels/default/.keep': '',
      '/etc/runlevels/shutdown/.keep': '',
    });
  },
  up: (root) => {
    startDaemon(root);
    link(root, '/run/openrc/started/web', '/etc/init.d/web');
  },
  boot: (root) => link(root, '/etc/runlevels/default/web', '/etc/init.d/web'),
  killed: (root) => ends(root, daemonPid),
  startsAtBoot: (root) => readdirSync(`${root}/etc/runlevels/default`).includes('web'),
  reloadLog: /^reload$/m,
};
const openrcTools = { '/sbin/rc-service': rcService, '/sbin/rc-update': rcUpdate };

t.test('services of OpenRC are what is declared, whatever they were', (t) =>
  proveExecutor(t, service, rows(openrc), {
    platform: simulatedMachine(openrcTools),
    interrupted,
    backend: 'OpenRC',
  }),
);

t.test('OpenRC: what its own files tell', async (t) => {
  await proveExecutor(
    t,
    service,
    [
      {
        name: 'a daemon that OpenRC keeps a record of',
        parameters: { service: 'web' },
        arrange: (root) => {
          openrc.install(root);
          openrc.up(root);
          ends(root, daemonPid);
          arrange(root, { '/run/openrc/daemons/web/001': 'exec=x\npidfile=/run/webd.pid\n' });
        },
        action: 'updated',
        reason: /crashed/,
      },
      {
        name: 'a service without a daemon stays started',
        parameters: { service: 'web' },
        arrange: (root) => {
          openrc.install(root);
          program(root, '/etc/init.d/web', '#!/sbin/openrc-run\nstart() { :; }\n');
          link(root, '/run/openrc/started/web', '/etc/init.d/web');
        },
        action: 'none',
      },
      {
        name: 'a script that cannot reload is restarted',
        parameters: { service: 'web', state: 'reloaded' },
        arrange: (root) => {
          openrc.install(root);
          program(root, '/etc/init.d/web', openrcText.replace(/extra.*/, ''));
          openrc.up(root);
        },
        action: 'updated',
        second: 'updated',
        check: (root, t) => t.match(logOf(root), /^restart$/m),
      },
      {
        name: 'a script of the LSB kind is looked at as on SysV',
        parameters: { service: 'web' },
        arrange: (root) => {
          openrc.install(root);
          installScript(root);
          startDaemon(root);
        },
        action: 'none',
      },
      {
        name: 'in the runlevel of the shutdown only it does not start at boot',
        parameters: { service: 'web', enabled: false, state: 'stopped' },
        arrange: (root) => {
          openrc.install(root);
          link(root, '/etc/runlevels/shutdown/web', '/etc/init.d/web');
        },
        action: 'none',
      },
    ],
    { platform: simulatedMachine(openrcTools), interrupted },
  );
});

const runit: InitSystem = {
  install: (root) => {
    program(root, '/etc/sv/web/run', '#!/bin/sh\nexec webd\n');
    arrange(root, { '/etc/service/.keep': '' });
    runs(root, 1, ['runit']);
  },
  up: (root) => {
    const linked = readdirSync(`${root}/etc/service`).includes('web');
    if (!linked) arrange(root, { '/etc/sv/web/down': '' });
    link(root, '/etc/service/web', '/etc/sv/web');
    supervise(root, 'web', 'up');
  },
  boot: (root) => {
    link(root, '/etc/service/web', '/etc/sv/web');
    unlink(root, '/etc/sv/web/down');
    supervise(root, 'web', 'down');
  },
  killed: (root) => supervise(root, 'web', 'crashing'),
  startsAtBoot: (root) =>
    readdirSync(`${root}/etc/service`).includes('web') && !existsSync(`${root}/etc/sv/web/down`),
  reloadLog: /^reload$/m,
};

/** runsvdir looks while the agent waits for it. */
function runitMachine(root: string): Platform {
  const machine = simulatedMachine({ '/usr/bin/sv': sv, ...sysvTools })(root);
  const { clock } = machine;
  return {
    ...machine,
    clock: {
      nowMs: () => clock.nowMs(),
      monotonicMs: () => clock.monotonicMs(),
      // The engine's own time limits sleep too, and longer.
      sleep: async (delayMs, signal) => {
        if (delayMs > 1000) return clock.sleep(delayMs, signal);
        scanServices(root, 'web');
      },
    },
  };
}

t.test('services of runit are what is declared, whatever they were', (t) =>
  proveExecutor(t, service, rows(runit), { platform: runitMachine, interrupted, backend: 'runit' }),
);

t.test('runit: what is no matter of sv alone', (t) =>
  proveExecutor(
    t,
    service,
    [
      {
        name: 'files of a runsv that is gone are no state',
        parameters: { service: 'web', state: 'running', enabled: true },
        arrange: (root) => {
          runit.install(root);
          runit.boot(root);
          supervise(root, 'web', 'up');
          ends(root, supervisorPid);
        },
        action: 'updated',
        check: (root, t) => t.ok(alive(root)),
      },
      {
        name: 'an init script where there is no directory',
        parameters: { service: 'web', state: 'running', enabled: true },
        arrange: (root) => {
          sysv.install(root);
          arrange(root, { '/etc/service/.keep': '' });
          runs(root, 1, ['runit']);
        },
        action: 'updated',
        check: (root, t) => t.ok(alive(root) && startLinks(root)),
      },
    ],
    { platform: runitMachine, interrupted, backend: 'runit' },
  ),
);

t.test('runit: interrupted while it is held down, the next pass ends right', async (t) => {
  const row = rows(runit).filter(({ name }) => name === 'disabled, yet running');
  await proveExecutor(t, service, row, { platform: runitMachine, interrupted, backend: 'runit' });
});
