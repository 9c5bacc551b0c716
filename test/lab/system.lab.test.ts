import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import t from 'tap';
import { requires } from '../support/requires.ts';
import { repairs } from './cycle.ts';
import { debianPackages } from './debian-packages.ts';
import { type Lab, type LabHost, startLab } from './lab.ts';
import { convergeOne } from './resources.ts';

const skip = requires('root', 'linux', 'command:systemd-nspawn', 'command:mmdebstrap');

/**
 * The types that look after the system itself, on one real Debian. Kernel modules, swap and kernel-wide
 * settings are not here: a host shares them with the machine that runs the tests.
 */
t.test('names, settings, mounts, units and processes of a real Debian', { skip }, async (t) => {
  let lab: Lab;
  let host: LabHost;
  const says = async (...argv: string[]) => (await host.run(argv)).stdout.trim();

  t.before(async () => {
    lab = await startLab();
    host = await lab.host('system');
    for (const file of debianPackages(['nftables', 'logrotate']))
      host.copyIn(file, `/root/debs/${basename(file)}`);
    await host.must(['sh', '-ec', 'dpkg -i /root/debs/*.deb >/dev/null']);
    const unit = '[Service]\nExecStart=/bin/sleep infinity\n';
    writeFileSync(join(host.root, 'etc/systemd/system/lab-worker.service'), unit);
    await host.must(['systemctl', 'daemon-reload']);
  });
  t.teardown(() => lab.stop());

  t.test('the name', async (t) => {
    const parameters = { hostname: 'web01' };
    await repairs(t, host, { type: 'hostname', parameters, action: 'updated' });
    t.equal(await says('hostnamectl', 'hostname'), 'web01');
    for (const damage of ['hostname other', 'echo other > /etc/hostname', 'rm /etc/hostname'])
      await repairs(t, host, { type: 'hostname', parameters, damage, action: 'updated' });
    t.same([await says('hostname'), await says('cat', '/etc/hostname')], ['web01', 'web01']);
  });

  t.test('the time zone', async (t) => {
    const parameters = { timezone: 'Asia/Tokyo' };
    await repairs(t, host, { type: 'timezone', parameters, action: 'updated' });
    t.equal(await says('timedatectl', 'show', '--value', '-p', 'Timezone'), 'Asia/Tokyo');
    t.equal(await says('date', '+%Z'), 'JST');
    for (const damage of ['timedatectl set-timezone UTC', 'rm /etc/localtime'])
      await repairs(t, host, { type: 'timezone', parameters, damage, action: 'updated' });
  });

  t.test('a setting of the network', async (t) => {
    const parameters = { key: 'net.ipv4.ip_forward', value: 1 };
    const damage = 'sysctl -qw net.ipv4.ip_forward=0';
    await repairs(t, host, { type: 'sysctl', parameters, damage, action: 'updated' });
    t.equal(await says('sysctl', '-n', 'net.ipv4.ip_forward'), '1');
    await repairs(t, host, { type: 'sysctl', parameters, damage, action: 'updated' });
    await host.must(['sh', '-ec', `${damage}; systemctl restart systemd-sysctl`]);
    t.equal(await says('sysctl', '-n', 'net.ipv4.ip_forward'), '1', 'and so it is at boot');
    const refused = await convergeOne(host, 'sysctl', {
      key: 'net.ipv4.ip_default_ttl',
      value: '999',
    });
    t.match(refused, { action: 'failed', errorCode: 'AGENT_SYSCTL_REFUSED' });
    const absent = { key: 'net.ipv4.ip_forward', state: 'absent' };
    await repairs(t, host, { type: 'sysctl', parameters: absent, action: 'deleted' });
    const shared = await convergeOne(host, 'sysctl', { key: 'kernel.pid_max', value: '4194303' });
    t.equal(shared.action, 'blocked', 'a read-only /proc/sys is no fault of the policy');
  });

  t.test('mounts: a volatile one and a bound one', async (t) => {
    const scratch = {
      path: '/srv/a b',
      device: 'tmpfs',
      fstype: 'tmpfs',
      options: 'size=8m,noexec',
    };
    await repairs(t, host, { type: 'mount', parameters: scratch, action: 'created' });
    t.match(await says('findmnt', '-no', 'OPTIONS', '/srv/a b'), 'noexec');
    for (const damage of [
      'umount "/srv/a b"',
      'mount -o remount,exec "/srv/a b"',
      'mount -t tmpfs other "/srv/a b"',
      ': > /etc/fstab',
    ])
      await repairs(t, host, { type: 'mount', parameters: scratch, damage, action: 'updated' });
    await host.must([
      'sh',
      '-ec',
      'umount "/srv/a b" || true; systemctl daemon-reload; mount -a; findmnt --verify',
    ]);
    const bound = { path: '/srv/etc', device: '/etc', fstype: 'none', options: 'bind,ro' };
    await repairs(t, host, { type: 'mount', parameters: bound, action: 'created' });
    t.equal(await says('cat', '/srv/etc/hostname'), 'web01');
    t.equal((await host.run(['touch', '/srv/etc/x'])).exitCode, 1, 'it is read-only');
    host.start(['sh', '-c', 'cd /srv/etc && exec sleep 1000']);
    await host.must([
      'sh',
      '-c',
      'until fuser -sm /srv/etc 2>/dev/null || pgrep -x sleep >/dev/null; do sleep 0.05; done',
    ]);
    const gone = { path: '/srv/etc', state: 'absent' };
    t.match(await convergeOne(host, 'mount', gone), {
      action: 'blocked',
      errorCode: 'AGENT_MOUNT_BUSY',
    });
    await host.must(['pkill', '-x', 'sleep']);
    await repairs(t, host, { type: 'mount', parameters: gone, action: 'deleted' });
    await repairs(t, host, {
      type: 'mount',
      parameters: { path: '/srv/a b', state: 'absent' },
      action: 'deleted',
    });
    t.equal(await says('cat', '/etc/fstab'), '');
  });

  t.test('a volatile directory', async (t) => {
    const parameters = { name: 'lab', path: '/run/lab dir', mode: '0750', user: 'daemon' };
    await repairs(t, host, { type: 'tmpfile', parameters, action: 'created' });
    t.equal(await says('stat', '-c', '%F %a %U', '/run/lab dir'), 'directory 750 daemon');
    for (const damage of [
      'rmdir "/run/lab dir"',
      'chmod 777 "/run/lab dir"',
      'chown root "/run/lab dir"',
    ])
      await repairs(t, host, { type: 'tmpfile', parameters, damage, action: 'updated' });
    await repairs(t, host, {
      type: 'tmpfile',
      parameters: { name: 'lab', state: 'absent' },
      action: 'deleted',
    });
  });

  t.test('rotation that logrotate itself understands', async (t) => {
    const parameters = {
      name: 'lab',
      path: ['/var/log/lab dir/*.log', '/var/log/lab.log'],
      frequency: 'daily',
      size: '1k',
      create: '0640 root adm',
      postrotate: 'echo rotated "$1" >> /run/rotated',
    };
    await repairs(t, host, { type: 'logrotate', parameters, action: 'created' });
    await host.must([
      'sh',
      '-ec',
      'mkdir -p "/var/log/lab dir"; head -c 9999 /dev/zero > "/var/log/lab dir/a.log"; logrotate /etc/logrotate.d/lab',
    ]);
    t.match(await says('ls', '/var/log/lab dir'), /a\.log\na\.log\.1/);
    t.match(await says('cat', '/run/rotated'), 'rotated');
  });

  t.test('a drop-in that systemd knows at once', async (t) => {
    const parameters = { unit: 'lab-worker.service', content: '[Unit]\nDescription=By Vigo\n' };
    const described = () => says('systemctl', 'show', '-P', 'Description', 'lab-worker');
    await repairs(t, host, { type: 'systemd_dropin', parameters, action: 'created' });
    t.equal(await described(), 'By Vigo');
    const damage =
      'echo > /etc/systemd/system/lab-worker.service.d/override.conf; systemctl daemon-reload';
    await repairs(t, host, { type: 'systemd_dropin', parameters, damage, action: 'updated' });
    t.equal(await described(), 'By Vigo');
    const absent = { unit: 'lab-worker.service', state: 'absent' };
    await repairs(t, host, { type: 'systemd_dropin', parameters: absent, action: 'deleted' });
    t.equal(await described(), 'lab-worker.service');
    t.equal(
      (await host.run(['test', '-e', '/etc/systemd/system/lab-worker.service.d'])).exitCode,
      1,
    );
  });

  t.test('an alternative', async (t) => {
    const parameters = {
      name: 'lab-editor',
      link: '/usr/bin/lab-editor',
      path: '/usr/bin/cat',
      priority: 10,
    };
    await repairs(t, host, { type: 'alternatives', parameters, action: 'created' });
    t.equal(
      await says('readlink', '-f', '/usr/bin/lab-editor'),
      await says('readlink', '-f', '/usr/bin/cat'),
    );
    const damage =
      'update-alternatives --quiet --install /usr/bin/lab-editor lab-editor /usr/bin/tac 90; update-alternatives --quiet --auto lab-editor';
    await repairs(t, host, { type: 'alternatives', parameters, damage, action: 'updated' });
    await repairs(t, host, {
      type: 'alternatives',
      parameters: { name: 'lab-editor', state: 'absent' },
      action: 'deleted',
    });
    t.equal((await host.run(['test', '-L', '/usr/bin/lab-editor'])).exitCode, 1);
  });

  t.test('a process', async (t) => {
    const command = '^/bin/sleep infinity$';
    const base = { process: command, match_mode: 'pattern' };
    const parameters = { ...base, restart_unit: 'lab-worker.service' };
    await repairs(t, host, { type: 'process', parameters, action: 'updated' });
    const damage = 'systemctl kill -s KILL lab-worker; sleep 0.2';
    await repairs(t, host, { type: 'process', parameters, damage, action: 'updated' });
    await repairs(t, host, {
      type: 'process',
      parameters: { ...base, state: 'stopped' },
      action: 'updated',
    });
    t.equal(await says('systemctl', 'show', '-P', 'ActiveState', 'lab-worker'), 'inactive');
  });

  t.test('a rule of nftables that the kernel keeps', async (t) => {
    await host.must(['sh', '-ec', 'nft add table ip mine; nft add chain ip mine c']);
    const parameters = { port: 8080, proto: 'tcp', action: 'deny', comment: 'test "x"' };
    await repairs(t, host, { type: 'firewall', parameters, action: 'created' });
    t.match(await says('nft', 'list', 'table', 'inet', 'vigo'), 'tcp dport 8080 drop');
    const range = { port: '6000-6007', from: 'fd00::/8', direction: 'out' };
    await repairs(t, host, { type: 'firewall', parameters: range, action: 'created' });
    t.match(await says('nft', 'list', 'table', 'inet', 'vigo'), 'ip6 daddr fd00::/8');
    for (const damage of ['nft flush ruleset', 'nft flush chain inet vigo input'])
      await repairs(t, host, { type: 'firewall', parameters, damage, action: 'created' });
    const absent = { ...parameters, state: 'absent' };
    await repairs(t, host, { type: 'firewall', parameters: absent, action: 'deleted' });
    t.notMatch(await says('nft', 'list', 'ruleset'), '8080');
  });

  t.test('a reboot is announced and cancelled', async (t) => {
    const parameters = { reboot_required_file: '/run/reboot-required', delay_secs: 3600 };
    const due = {
      type: 'reboot',
      parameters,
      damage: 'touch /run/reboot-required',
      action: 'updated',
    } as const;
    await repairs(t, host, due);
    t.equal((await host.run(['test', '-e', '/run/systemd/shutdown/scheduled'])).exitCode, 0);
    await repairs(t, host, { type: 'reboot', parameters: { state: 'absent' }, action: 'deleted' });
    t.equal((await host.run(['test', '-e', '/run/systemd/shutdown/scheduled'])).exitCode, 1);
  });

  t.test('a script of the owner', async (t) => {
    const script = `#!/bin/sh
read -r question
case $question in *'"dry_run":true'*) dry=1 ;; esac
[ -e /run/licence ] && echo '{"action":"none"}' && exit
[ -n "$dry" ] || touch /run/licence
echo '{"action":"created","changed":true}'
`;
    writeFileSync(join(host.root, 'opt/licence'), script, { mode: 0o755 });
    const parameters = { script: '/opt/licence', params: { seats: 5 } };
    await repairs(t, host, { type: 'custom', parameters, action: 'created' });
    await host.must(['chmod', '777', '/opt/licence']);
    const refused = await convergeOne(host, 'custom', parameters);
    t.match(refused, { action: 'failed', errorCode: 'AGENT_SCRIPT_NOT_TRUSTED' });
  });
});
