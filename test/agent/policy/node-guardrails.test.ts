import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import t from 'tap';
import { createEngine } from '../../../agent/converge/engine.ts';
import { MountAliases } from '../../../agent/converge/mount-aliases.ts';
import { resourceTypes } from '../../../agent/executors/registry.ts';
import { trafficRefusal, trafficText } from '../../../agent/policy/guardrail-traffic.ts';
import { guardLayout } from '../../../agent/policy/guardrails.ts';
import { resourceSchemas } from '../../../agent/policy/resource-schemas/registry.ts';
import type { PolicyValue } from '../../../agent/protocol/bundle.ts';
import { bundle, module } from '../../support/resource-bundle.ts';
import { arrange, simulatedMachine } from '../../support/simulated-machine.ts';

type Parameters = Readonly<Record<string, PolicyValue>>;

const own = '/etc/vigo-envoy/config';
const editors = { file_line: { line: 'x' }, blockinfile: { block_content: 'x' } } as const;

/** Of each type: declarations that a server with good intentions never signs. */
const hostile: Readonly<Record<string, readonly Parameters[]>> = {
  file: [
    { target_path: own, content: '' },
    { target_path: own, state: 'absent' },
    { target_path: '/etc/nginx/../vigo-envoy/config', content: '' },
    { target_path: '/ETC/Vigo-Envoy/config', content: '' },
    { target_path: '/etc/innocent/config', content: 'by a link of its parent' },
    { target_path: '/mnt/bound/config', content: 'by a bind mount' },
    { target_path: '/usr/local/lib/vigo/current', content: '' },
    { target_path: '/etc/systemd/system/vigo-envoy.service.d/x.conf', content: '' },
    { target_path: '/etc/systemd/system/service.d/x.conf', content: '' },
    { target_path: '/run/systemd/system/vigo-envoy.service', content: '' },
    { target_path: '/etc/x', content: '', validate: 'rm -rf /var/lib/vigo' },
  ],
  directory: [
    { target_path: '/etc/vigo-envoy', mode: '0777' },
    { target_path: '/etc', state: 'absent' },
    { target_path: '/etc', mode: '0755', recurse: true },
    { target_path: '/mnt', state: 'absent', recurse: true },
  ],
  symlink: [
    { target_path: own, to: '/tmp/x' },
    { target_path: '/tmp/x', to: '/etc/vigo-envoy/identity/key.pem', link_type: 'hard' },
  ],
  ...Object.fromEntries(
    Object.entries(editors).map(([type, rest]) => [type, [{ target_path: own, ...rest }]]),
  ),
  replace: [{ target_path: own, match_pattern: 'a', replacement: 'b' }],
  field_edit: [{ path: own, line_match: 'a', select_field: 1, field_value: 'b' }],
  ini: [{ target_path: own, section: 'a', key: 'b', value: 'c' }],
  json_file: [{ target_path: '/etc/vigo-envoy/identity/envoy.json', key: 'a', value: '1' }],
  exec: [
    { command: 'systemctl stop vigo-envoy', unless: 'false' },
    { command: 'rm -rf vigo-envoy', cwd: '/etc' },
    { command: 'cd /etc && rm -r ./vigo-envoy' },
    { command: 'd=/etc/vigo-envoy; rm -rf $d' },
    { command: 'true', cwd: '/var/lib/vigo' },
    { command: 'true', onlyif: 'pkill -f vigo' },
    { command: 'apt-get purge -y vigo' },
  ],
  cron: [
    { name: 'x', command: 'pkill vigo', schedule: '@daily' },
    { name: 'x', command: 'rm -rf /var/lib/vigo', schedule: '@daily' },
  ],
  process: [
    { process: 'vigo', state: 'stopped' },
    { process: '^/usr/local/lib/', match_mode: 'pattern', state: 'stopped' },
    { process: 'sleep', restart_method: 'systemctl mask vigo-envoy' },
  ],
  service: [
    { service: 'vigo-envoy', state: 'stopped' },
    { service: 'VIGO-ENVOY.service', enabled: false },
    { service: 'nginx', restart_command: 'systemctl stop vigosrv' },
  ],
  package: [
    { package: 'vigo', state: 'absent' },
    { package: ['nginx', 'vigosrv'], state: 'absent' },
  ],
  user: [
    { username: 'root', uid: 1000 },
    { username: 'ada', home: '/var/lib/vigo/ada' },
    { username: 'ada', home: '/var/lib', state: 'absent' },
  ],
  group: [{ group: 'root', gid: 5 }],
  firewall: [
    { port: 1530, direction: 'out', action: 'deny' },
    { port: '1:65535', direction: 'out', action: 'deny', proto: 'tcp' },
    { port: 1530, direction: 'out', action: 'deny', from: '192.0.2.0/24' },
    { port: 1530, direction: 'out', action: 'deny', from: '0.0.0.0/0' },
    { port: 1530, direction: 'out', action: 'allow', state: 'absent' },
  ],
  mount: [
    { path: '/etc/vigo-envoy', device: 'tmpfs', fstype: 'tmpfs' },
    { path: '/etc', device: 'tmpfs', fstype: 'tmpfs' },
    { path: '/var/lib/vigo/x', state: 'absent' },
    { path: '/mnt/x', device: '/etc', fstype: 'none', options: 'bind' },
    { path: '/mnt/x', device: '/', fstype: 'none', options: 'rbind,nodev' },
  ],
  swap: [{ path: '/var/lib/vigo/reports', size: '1M' }],
  tmpfile: [
    { name: 'x', path: '/etc/vigo-envoy', entry_type: 'd' },
    { name: 'x', path: '/etc', entry_type: 'R' },
    { name: 'x', path: '/var/lib', entry_type: 'd', age: '1d' },
    { name: 'x', path: '/etc', entry_type: 'Z', mode: '0777' },
  ],
  logrotate: [
    { name: 'x', path: ['/var/lib/vigo/*'] },
    { name: 'x', path: ['/var/log/x'], postrotate: 'killall vigo' },
  ],
  systemd_dropin: [
    { unit: 'vigo-envoy.service', content: '[Service]\nExecStart=\n' },
    { unit: 'vigo-.service', content: '[Service]\nUser=nobody\n' },
  ],
  alternatives: [{ name: 'vigo', link: '/usr/local/bin/vigo', path: '/bin/true' }],
  git: [
    { path: '/etc/vigo-envoy', repo: 'https://example.com/x.git' },
    { path: '/etc', repo: 'https://example.com/x.git', force: true },
  ],
  source_package: [{ target_path: '/usr/local/lib/vigo', url: 'https://example.com/x.tgz' }],
  docker_container: [
    { container: 'x', image: 'x', volumes: ['/:/host'] },
    { container: 'x', image: 'x', volumes: ['/etc/vigo-envoy:/x'] },
  ],
  sshkey: [
    {
      hostname: 'h',
      sshkey_type: 'ssh-ed25519',
      sshkey: 'AAAAC3NzaC1lZDI1NTE5AAAAIE6nC8vZ5V4Lj2hGm0aVv3yqPp0u0r3V0mQ0m1f7oZ0m',
      file: own,
    },
  ],
  pip: [{ package: 'x', virtualenv: '/var/lib/vigo' }],
  gem: [{ package: 'x', install_dir: '/var/lib/vigo' }],
  npm: [{ package: 'x', path: '/var/lib/vigo' }],
  host: [{ hostname: 'x', ip: '192.0.2.1' }],
  hostname: [{ hostname: 'other' }],
  sysctl: [{ key: 'net.ipv4.ip_forward', value: '1' }],
};

/** Types that name nothing of Vigo's, or that are refused where the name says; why. */
const harmless: Readonly<Record<string, string>> = {
  docker_image: 'only fetches or removes an image',
  docker_compose: 'a compose file is not looked into; docs/guardrails.md says so',
  custom: 'runs a program of the machine; what it does is up to its owner',
  reboot: 'the agent comes back with the machine',
  timezone: 'writes /etc/localtime; its links are followed as those of hostname',
  kernel_module: 'writes files of its own name; links are followed as those of sysctl',
  repository: 'writes files of its own name; links are followed as those of sysctl',
  nonrepo_package: 'installs, and removes as package does',
  selinux: 'labels by patterns; its paths are targets like those of file',
};

/** A machine whose innocent names lead to what belongs to Vigo. */
function trappedMachine(root: string): void {
  arrange(root, {
    [own]: 'server = x\n',
    '/etc/vigo-envoy/identity/envoy.json': '{}',
    '/etc/passwd': 'root:x:0:0:root:/root:/bin/sh\n',
    '/etc/group': 'root:x:0:\n',
    '/proc/77/stat': `77 (MainThread) S ${'1 '.repeat(18)}500 0\n`,
    '/proc/77/cmdline': '/usr/local/lib/vigo/1/vigo\0daemon\0',
    '/proc/self/mountinfo': [
      '1 0 8:1 / / rw - ext4 /dev/a rw',
      '2 1 8:1 /etc/vigo-envoy /mnt/bound rw - ext4 /dev/a rw',
    ].join('\n'),
    '/proc/sys/net/ipv4/ip_forward': '0\n',
    '/proc/sys/kernel/hostname': 'web-1\n',
    '/mnt/bound/config': 'server = x\n',
  });
  symlinkSync('/etc/vigo-envoy', `${root}/etc/innocent`);
  symlinkSync(own, `${root}/etc/hosts`);
  symlinkSync(own, `${root}/etc/hostname`);
  symlinkSync('/etc/vigo-envoy', `${root}/etc/sysctl.d`);
  mkdirSync(`${root}/tmp`);
}

t.test('a bundle that was signed is still refused where it would harm the agent', async (t) => {
  const root = mkdtempSync(`${tmpdir()}/vigo-guard-`);
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  trappedMachine(root);
  const server = { host: '192.0.2.7', port: 1530 };
  const engine = createEngine({
    platform: simulatedMachine({})(root),
    registry: resourceTypes,
    layout: guardLayout([], server),
  });
  for (const type of resourceSchemas.keys()) {
    t.ok(hostile[type] !== undefined || harmless[type] !== undefined, `${type} is thought of`);
    for (const parameters of hostile[type] ?? []) {
      rmSync(`${root}/tmp/bystander`, { force: true });
      const document = bundle([
        module('main', [
          { name: 'bad', type, parameters },
          {
            name: 'after',
            type: 'file',
            dependsOn: ['bad'],
            parameters: { target_path: '/tmp/a' },
          },
          {
            name: 'bystander',
            type: 'file',
            parameters: { target_path: '/tmp/bystander', content: 'x' },
          },
        ]),
      ]);
      const { resources } = await engine.pass({ document, traits: {} });
      const [bad, after, bystander] = resources;
      const what = `${type} ${JSON.stringify(parameters)}: ${bad?.errorCode} ${bad?.reason}`;
      t.match(bad, { action: 'failed', errorCode: 'AGENT_GUARDRAIL', reason: /: \S/ }, what);
      t.match(after, {
        action: 'skipped',
        errorCode: 'AGENT_DEPENDENCY_FAILED',
        reason: 'needs main/bad, which failed',
      });
      t.equal(bystander?.action, 'created', 'the pass goes on');
    }
  }
});

t.test('firewall rules may do anything but cut the node from its server', async (t) => {
  const rule = { direction: 'out', action: 'deny', protocol: 'tcp', ports: [1530, 1530] as const };
  const refused = (change: object, host = '192.0.2.7') =>
    trafficRefusal(trafficText({ ...rule, peer: undefined, absent: false, ...change }), {
      host,
      port: 1530,
    }) !== undefined;
  t.ok(refused({}));
  t.ok(refused({}, 'vigo.example'));
  t.ok(refused({ peer: '0.0.0.0/1' }, 'vigo.example'));
  t.ok(refused({ peer: '128.0.0.0/1' }));
  t.ok(refused({ peer: '192.0.2.7' }));
  t.ok(refused({ peer: '2001:db8::/32' }, '2001:db8::5'));
  t.ok(refused({ direction: 'in' }, 'localhost'));
  t.notOk(refused({ direction: 'in' }));
  t.notOk(refused({ protocol: 'udp' }));
  t.notOk(refused({ ports: [1, 1529] }));
  t.notOk(refused({ peer: '10.0.0.0/8' }));
  t.notOk(refused({ peer: '198.51.100.1' }, 'vigo.example'));
  t.notOk(refused({ peer: '2001:db8:1::/48' }, '2001:db8::5'));
  t.notOk(refused({ action: 'allow' }));
  t.notOk(refused({ absent: true }), 'taking a denial away opens the way');
});

t.test('a bind mount does not hide what a place is', async (t) => {
  const table = [
    '21 1 8:1 / / rw - ext4 /dev/a rw',
    '22 21 8:2 / /var rw - ext4 /dev/b rw',
    '23 21 8:2 /lib/vigo /mnt/with\\040space rw - ext4 /dev/b rw',
    '24 21 8:1 /etc /srv/jail/etc rw - ext4 /dev/a rw',
    '25 21 0:5 / /proc rw - proc proc rw',
    'garbage',
  ].join('\n');
  const aliases = new MountAliases(table);
  t.same(aliases.of('/mnt/with space/bundle'), ['/var/lib/vigo/bundle']);
  t.same(aliases.of('/var/lib/vigo'), ['/mnt/with space']);
  t.same(aliases.of('/srv/jail/etc/vigo'), ['/etc/vigo']);
  t.same(aliases.of('/srv/jail'), []);
  t.same(aliases.of('/proc/1'), []);
  t.same(aliases.pointsBelow('/srv'), ['/srv/jail/etc']);
  t.same(new MountAliases('').of('/etc'), []);
});
