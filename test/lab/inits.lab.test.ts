import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { backendsOf } from '../support/lab-coverage.ts';
import { requires } from '../support/requires.ts';
import { repairs } from './cycle.ts';
import { initHost } from './init-hosts.ts';
import { type Lab, type LabHost, startLab } from './lab.ts';
import { convergeOne } from './resources.ts';

const skip = requires('root', 'linux', 'command:systemd-nspawn', 'command:mmdebstrap');

interface Hosted {
  readonly init: 'openrc' | 'runit';
  /** Service of the host's own kind: name of its file, and its text. */
  readonly definition: readonly [string, string];
  readonly crashing: readonly [string, string];
  /** Exit code 0 when the service starts at the next boot. */
  readonly atBoot: string;
  readonly cronAtBoot: string;
  readonly disable: string;
  readonly stop: string;
}

/** A daemon with a name of its own, that tells when it reads its configuration again. */
const daemon = `#!/usr/bin/perl
$0 = "lab-webd";
$SIG{HUP} = sub { open(my $f, ">>", "/run/lab-log"); print $f "reloaded\\n"; close($f) };
sleep 1 while 1;
`;

const hosted: readonly Hosted[] = [
  {
    init: 'openrc',
    definition: [
      'etc/init.d/lab-web',
      `#!/sbin/openrc-run
command=/usr/bin/perl
command_args=/usr/local/bin/lab-webd
command_background=yes
pidfile=/run/lab-web.pid
extra_started_commands=reload
reload() { kill -HUP $(cat $pidfile); }
`,
    ],
    crashing: [
      'etc/init.d/lab-crash',
      '#!/sbin/openrc-run\nstart() { eerror "no way"; return 1; }\n',
    ],
    atBoot: 'test -e /etc/runlevels/default/lab-web',
    cronAtBoot: 'test -e /etc/runlevels/default/cron',
    disable: 'rc-update -q del lab-web default',
    stop: 'rc-service lab-web stop',
  },
  {
    init: 'runit',
    definition: ['etc/sv/lab-web/run', '#!/bin/sh\nexec /usr/bin/perl /usr/local/bin/lab-webd\n'],
    crashing: ['etc/sv/lab-crash/run', '#!/bin/sh\nexit 1\n'],
    atBoot: 'test -e /etc/service/lab-web/run && ! test -e /etc/sv/lab-web/down',
    cronAtBoot: 'test -e /etc/rc2.d/S*cron',
    disable: 'touch /etc/sv/lab-web/down',
    stop: 'sv stop lab-web',
  },
];

for (const row of hosted)
  t.test(`services of a real host with ${row.init}`, { skip }, async (t) => {
    const lab: Lab = await startLab();
    t.teardown(() => lab.stop());
    const host = await lab.host(row.init, initHost(row.init));
    backendsOf(host, { service: row.init === 'openrc' ? 'OpenRC' : 'runit' });
    const program = ['usr/local/bin/lab-webd', daemon] as const;
    for (const [path, text] of [program, row.definition, row.crashing]) install(host, path, text);
    const bounds = (process: string) => host.must(['grep', 'CapBnd', `/proc/${process}/status`]);
    t.equal(await bounds('self'), await bounds('1'), 'a command has the rights of the host only');
    await ownKind(t, host, row);
    await initScript(t, host, row);
    await failures(t, host);
  });

function install(host: LabHost, path: string, text: string): void {
  const place = join(host.root, path);
  mkdirSync(dirname(place), { recursive: true });
  writeFileSync(place, text);
  chmodSync(place, 0o755);
}

const pids = async (host: LabHost, name: string) =>
  (await host.run(['pgrep', '-x', name])).stdout.trim();
const succeeds = async (host: LabHost, command: string) =>
  (await host.run(['sh', '-c', command])).exitCode === 0;

async function ownKind(t: Test, host: LabHost, row: Hosted): Promise<void> {
  const running = { service: 'lab-web', state: 'running', enabled: true };
  const up = async (t: Test) => {
    t.not(await pids(host, 'lab-webd'), '', 'it runs');
    t.ok(await succeeds(host, row.atBoot), 'and starts at boot');
  };

  await t.test('from its definition alone, by hand stopped, disabled, killed', async (t) => {
    await repairs(t, host, { type: 'service', parameters: running, action: 'updated' });
    await up(t);
    const kill = 'pkill -KILL -x lab-webd; sleep 0.1';
    // runsv repairs a kill by itself, so there is nothing for the agent to do.
    const damages = row.init === 'openrc' ? [row.stop, row.disable, kill] : [row.stop, row.disable];
    for (const damage of damages) {
      await repairs(t, host, { type: 'service', parameters: running, damage, action: 'updated' });
      await up(t);
    }
  });

  await t.test('restarted and reloaded act when triggered', async (t) => {
    const first = await pids(host, 'lab-webd');
    await convergeOne(host, 'service', { service: 'lab-web', state: 'reloaded' });
    t.equal(await pids(host, 'lab-webd'), first, 'a reload keeps the process');
    await host.must(['timeout', '5', 'sh', '-c', 'until [ -e /run/lab-log ]; do sleep 0.1; done']);
    const restarted = await convergeOne(host, 'service', {
      service: 'lab-web',
      state: 'restarted',
    });
    t.match(restarted, { action: 'updated', errorCode: '' });
    t.not(await pids(host, 'lab-webd'), first, 'it is another process');
    t.not(await pids(host, 'lab-webd'), '');
  });

  await t.test('what is declared stopped and disabled stays so', async (t) => {
    const parameters = { service: 'lab-web', state: 'stopped', enabled: false };
    await repairs(t, host, { type: 'service', parameters, action: 'updated' });
    t.equal(await pids(host, 'lab-webd'), '');
    t.notOk(await succeeds(host, row.atBoot));
    const unset = await convergeOne(host, 'service', { service: 'lab-web', state: 'running' });
    t.match(unset, { action: 'updated', errorCode: '' });
    t.notOk(await succeeds(host, row.atBoot), 'whether it starts at boot is left alone');
  });
}

/** cron of Debian has an init script of the LSB kind. */
async function initScript(t: Test, host: LabHost, { cronAtBoot }: Hosted): Promise<void> {
  const running = { service: 'cron', state: 'running', enabled: true };
  await t.test('a service that has an init script only', async (t) => {
    t.equal((await convergeOne(host, 'service', running)).action, 'none', 'the boot started it');
    for (const damage of ['/etc/init.d/cron stop', 'pkill -KILL -x cron; sleep 0.1']) {
      await repairs(t, host, { type: 'service', parameters: running, damage, action: 'updated' });
      t.not(await pids(host, 'cron'), '');
    }
    const parameters = { service: 'cron', state: 'stopped', enabled: false };
    await repairs(t, host, { type: 'service', parameters, action: 'updated' });
    t.equal(await pids(host, 'cron'), '');
    t.notOk(await succeeds(host, cronAtBoot));
    await repairs(t, host, { type: 'service', parameters: running, action: 'updated' });
    t.ok(await succeeds(host, cronAtBoot));
  });
}

async function failures(t: Test, host: LabHost): Promise<void> {
  await t.test('what cannot run fails and says why', async (t) => {
    const crash = await convergeOne(host, 'service', { service: 'lab-crash', state: 'running' });
    t.match(crash, { action: 'failed', errorCode: 'AGENT_SERVICE_FAILED' }, crash.reason);
    const missing = await convergeOne(host, 'service', { service: 'lab-none' });
    t.match(missing, { action: 'failed', errorCode: 'AGENT_SERVICE_UNKNOWN' });
    const absent = await convergeOne(host, 'service', { service: 'lab-none', state: 'stopped' });
    t.equal(absent.action, 'none', 'what does not exist is stopped');
  });
}
