import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { requires } from '../support/requires.ts';
import { repairs } from './cycle.ts';
import { type Lab, type LabHost, startLab } from './lab.ts';
import { converge, convergeOne, type LabResource } from './resources.ts';

const skip = requires('root', 'linux', 'command:systemd-nspawn', 'command:mmdebstrap');
const unit = (command: string) => `[Service]
ExecStart=${command}
ExecReload=/bin/sh -c 'echo reloaded >> /run/lab-log'
[Install]
WantedBy=multi-user.target
`;

t.test('services of a real systemd', { skip }, async (t) => {
  let lab: Lab;
  let host: LabHost;
  const state = async (name: string) =>
    (await host.run(['systemctl', 'show', '-P', 'ActiveState', name])).stdout.trim();
  const pid = async (name: string) =>
    (await host.must(['systemctl', 'show', '-P', 'MainPID', name])).trim();
  const install = (name: string, command: string) =>
    writeFileSync(join(host.root, `etc/systemd/system/${name}.service`), unit(command));

  t.before(async () => {
    lab = await startLab();
    host = await lab.host('services');
    install('lab-web', '/bin/sleep infinity');
    install('lab-crash', '/bin/false');
  });
  t.teardown(() => lab.stop());

  const running = { service: 'lab-web', state: 'running', enabled: 'true' };

  t.test('a new unit file is found, started and enabled', async (t) => {
    await repairs(t, host, { type: 'service', parameters: running, action: 'updated' });
    t.equal(await state('lab-web'), 'active');
  });

  for (const [what, damage] of [
    ['stopped', 'systemctl stop lab-web'],
    ['disabled', 'systemctl -q disable lab-web'],
    ['killed', 'systemctl kill -s KILL lab-web; sleep 0.2'],
    [
      'masked and stopped',
      `systemctl -q disable --now lab-web
mv /etc/systemd/system/lab-web.service /usr/lib/systemd/system/
systemctl daemon-reload
systemctl -q mask lab-web`,
    ],
  ] as const)
    t.test(`a service that a person ${what} runs again`, async (t) => {
      await repairs(t, host, { type: 'service', parameters: running, damage, action: 'updated' });
      t.equal(await state('lab-web'), 'active');
    });

  t.test('what is declared stopped and disabled stays so', async (t) => {
    const parameters = { service: 'lab-web', state: 'stopped', enabled: false };
    await repairs(t, host, { type: 'service', parameters, action: 'updated' });
    const damage = 'systemctl -q enable --now lab-web';
    await repairs(t, host, { type: 'service', parameters, damage, action: 'updated' });
    t.equal(await state('lab-web'), 'inactive');
  });

  t.test('restarted and reloaded act when triggered, by their own command if given', async (t) => {
    await convergeOne(host, 'service', running);
    const first = await pid('lab-web');
    const restarted = await convergeOne(host, 'service', {
      service: 'lab-web',
      state: 'restarted',
    });
    t.match(restarted, { action: 'updated', errorCode: '' });
    t.not(await pid('lab-web'), first, 'it is another process');
    await convergeOne(host, 'service', { service: 'lab-web', state: 'reloaded' });
    t.equal(await host.must(['cat', '/run/lab-log']), 'reloaded\n');
    const command = 'echo "by hand" >> /run/lab-log';
    const parameters = { service: 'lab-web', state: 'restarted', restart_command: command };
    t.match(await convergeOne(host, 'service', parameters), { action: 'updated' });
    t.equal(await host.must(['cat', '/run/lab-log']), 'reloaded\nby hand\n');
  });

  t.test('a changed file restarts its service once, through notify', async (t) => {
    const resources: readonly LabResource[] = [
      {
        name: 'job',
        type: 'cron',
        notify: ['restart'],
        parameters: { name: 'lab-web', command: '/bin/true' },
      },
      {
        name: 'restart',
        type: 'service',
        when: 'changed',
        parameters: { service: 'lab-web', state: 'restarted' },
      },
    ];
    const first = await pid('lab-web');
    await converge(host, resources);
    const second = await pid('lab-web');
    t.not(second, first);
    await converge(host, resources);
    t.equal(await pid('lab-web'), second, 'nothing changed, so nothing is restarted');
  });

  t.test('a unit that cannot run fails and says why', async (t) => {
    const crash = await convergeOne(host, 'service', { service: 'lab-crash', state: 'restarted' });
    t.match(crash, { errorCode: /^(AGENT_SERVICE_FAILED)?$/ });
    const missing = await convergeOne(host, 'service', { service: 'lab-none' });
    t.match(missing, { action: 'failed', errorCode: 'AGENT_SERVICE_UNKNOWN' });
    const absent = await convergeOne(host, 'service', { service: 'lab-none', state: 'stopped' });
    t.equal(absent.action, 'none', 'what does not exist is stopped');
  });
});
