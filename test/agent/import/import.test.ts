import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import { createEngine } from '../../../agent/converge/engine.ts';
import { resourceTypes } from '../../../agent/executors/registry.ts';
import { importModule } from '../../../agent/import/import.ts';
import { moduleText } from '../../../agent/import/module-text.ts';
import { arrange, type SimulatedTool, simulatedMachine } from '../../support/simulated-machine.ts';

const unit = [
  'Id=web.service',
  'LoadState=loaded',
  'ActiveState=active',
  'SubState=running',
  'UnitFileState=enabled',
  'NeedDaemonReload=no',
].join('\n');

const systemctl: SimulatedTool = (words) =>
  words[0] === 'list-unit-files'
    ? { stdout: 'web.service enabled enabled\ngetty@.service enabled enabled\n' }
    : { stdout: unit };

const status = `Package: nginx-light
Status: install ok installed
Architecture: amd64
Version: 1.22

Package: libpcre3
Status: install ok installed
Architecture: amd64
Version: 2

`;

/** A small web server, as somebody set it up by hand. */
function machine(t: Test) {
  const root = t.testdir();
  for (const directory of ['/run/systemd/system', '/home/ada/.ssh', '/etc/cron.d'])
    mkdirSync(`${root}${directory}`, { recursive: true });
  arrange(root, {
    '/usr/bin/apt-get': '',
    '/usr/sbin/useradd': '',
    '/var/lib/dpkg/status': status,
    '/var/lib/apt/extended_states': 'Package: libpcre3\nAuto-Installed: 1\n',
    '/etc/passwd':
      'root:x:0:0:root:/root:/bin/bash\nada:x:1000:1000:Ada L,,,:/home/ada:/bin/bash\n',
    '/etc/group': 'root:x:0:\nada:x:1000:\ndeploy:x:1001:ada\n',
    '/etc/shadow': 'root:*:1:0:99999:7:::\nada:$6$x$y:1:0:99999:7:::\n',
    '/home/ada/.ssh/authorized_keys': 'ssh-ed25519 AAAA ada@example.org\n',
    '/etc/hosts': '127.0.0.1 localhost\n10.0.0.5 db.example.org db # the database\n',
    '/etc/cron.d/backup': '# by hand\n0 3 * * * root /usr/local/bin/backup\n',
    '/etc/web/site.conf': 'server {{ .Name }};\nkey secret:db/password;\n',
    '/etc/web/logo.bin': '\u0000',
  });
  chmodSync(`${root}/etc/web/site.conf`, 0o640);
  writeFileSync(`${root}/etc/web/logo.bin`, new Uint8Array([0xff, 0, 1]));
  symlinkSync('site.conf', `${root}/etc/web/enabled`);
  const platform = simulatedMachine({ '/usr/bin/systemctl': systemctl })(root);
  const engine = createEngine({ platform, registry: resourceTypes });
  const take = (...selectors: string[]) =>
    importModule({ module: 'web', selectors, traits: {} }, engine, {
      platform,
      signal: new AbortController().signal,
    });
  return { take, root };
}

t.test('what was chosen comes back as policy that already holds', async (t) => {
  const { take } = machine(t);
  const kinds = ['package', 'service', 'user', 'group', 'host', 'cron', 'file=/etc/web/'];
  const module = await take(...kinds);
  t.same(
    module.leftOut.map(({ what }) => what),
    ['file /etc/web/logo.bin'],
    'what is no text is named, and nothing else is lost with it',
  );
  const policy = parse(moduleText(module, 'web-1')) as {
    name: string;
    resources: Record<string, unknown>[];
  };
  t.equal(policy.name, 'web');
  t.same(
    policy.resources.map(({ type, name }) => `${type} ${name}`),
    [
      'package package-nginx-light',
      'group group-ada',
      'group group-deploy',
      'user user-ada',
      'host host-db.example.org',
      'directory directory-etc-web',
      'symlink symlink-etc-web-enabled',
      'file file-etc-web-site.conf',
      'file file-etc-cron.d-backup',
      'service service-web',
    ],
    'dependencies are not taken for wishes, and what others need stands first',
  );
  const of = (name: string) => policy.resources.find((one) => one.name === name)!;
  t.match(of('user-ada'), {
    groups: ['deploy'],
    authorized_keys: ['ssh-ed25519 AAAA ada@example.org'],
  });
  t.notOk('password' in of('user-ada'), 'no password and no hash is written down');
  t.match(of('file-etc-web-site.conf'), {
    mode: '0640',
    content: 'server {{"{{"}} .Name }};\nkey {{"secret"}}:db/password;\n',
  });
});

t.test('what would change at the first pass is left out and named', async (t) => {
  const { take } = machine(t);
  const module = await take('file=/etc/vigo-envoy/config', 'package=absent', 'file=etc/x');
  t.same(module.resources, []);
  t.equal(module.leftOut.length, 3);
  t.match(module.leftOut.find(({ what }) => what === 'package absent')?.reason, /not installed/);
  t.match(moduleText(module, 'web-1'), /^resources: \[\]\n\n# left out: package absent: /m);
});

t.test(
  'a kind that this machine cannot have is left out, and the others are written',
  async (t) => {
    const { take, root } = machine(t);
    rmSync(`${root}/run/systemd`, { recursive: true });
    const module = await take('host', 'service', 'group');
    t.match(module.leftOut, [{ what: 'service', reason: /[Nn]o supported service manager/ }]);
    t.equal(module.leftOut.length, 1);
    t.ok(module.resources.length >= 2);
  },
);

t.test('an unknown kind is refused with the nearest one', async (t) => {
  const { take } = machine(t);
  await t.rejects(take('pakage'), { code: 'AGENT_USAGE', message: /did you mean package/ });
});
