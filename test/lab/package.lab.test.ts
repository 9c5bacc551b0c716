import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { requires } from '../support/requires.ts';
import { publishPackages, type TestPackage } from './apt-repository.ts';
import { repairs } from './cycle.ts';
import { type Lab, type LabHost, startLab } from './lab.ts';
import { convergeOne } from './resources.ts';

const skip = requires('root', 'linux', 'command:systemd-nspawn', 'command:mmdebstrap');

function hello(version: string): TestPackage {
  return {
    name: 'lab-hello',
    version,
    files: { '/etc/lab-hello.conf': `version ${version}\n` },
    configuration: ['/etc/lab-hello.conf'],
  };
}

const packages: readonly TestPackage[] = [
  hello('1.0'),
  hello('1.1'),
  { name: 'lab-other', version: '2.0', depends: 'lab-needed' },
  { name: 'lab-needed', version: '1.0' },
  {
    name: 'lab-slow',
    version: '1.0',
    scripts: { postinst: '#!/bin/sh\n[ -e /run/lab-go ] || exec sleep 60\n' },
  },
];

t.test('packages of a real Debian', { skip }, async (t) => {
  let lab: Lab;
  let host: LabHost;
  const version = async (name: string) =>
    (await host.run(['dpkg-query', '-W', '-f', `\${db:Status-Abbrev}\${Version}`, name])).stdout;

  t.before(async () => {
    lab = await startLab();
    host = await lab.host('packages');
    await publishPackages(host, packages);
  });
  t.teardown(() => lab.stop());

  t.test('a machine that never fetched its lists installs at the first pass', async (t) => {
    const parameters = { package: 'lab-hello,lab-other', state: 'present' };
    await repairs(t, host, { type: 'package', parameters, action: 'created' });
    t.equal(await version('lab-needed'), 'ii 1.0');
  });

  t.test('what a person removed comes back, what is missing alone is installed', async (t) => {
    await repairs(t, host, {
      type: 'package',
      parameters: { package: ['lab-hello', 'lab-other'] },
      damage: 'apt-get -qy remove lab-hello >/dev/null',
      action: 'created',
      reason: /^lab-hello is not installed$/,
    });
  });

  t.test('an exact version goes down only when downgrades are allowed', async (t) => {
    const refused = await convergeOne(host, 'package', { package: 'lab-hello', version: '1.0' });
    t.match(refused, { action: 'failed', errorCode: 'AGENT_PACKAGE_FAILED', reason: /downgrade/ });
    await repairs(t, host, {
      type: 'package',
      parameters: { package: 'lab-hello', version: '1.0', allow_downgrade: true },
      action: 'updated',
    });
    t.equal(await version('lab-hello'), 'ii 1.0');
  });

  t.test('an upgrade keeps the configuration that a person edited', async (t) => {
    await repairs(t, host, {
      type: 'package',
      parameters: { package: 'lab-hello', state: 'latest' },
      damage: 'echo mine > /etc/lab-hello.conf',
      action: 'updated',
      reason: /is 1.0, not 1.1/,
    });
    t.equal(await host.must(['cat', '/etc/lab-hello.conf']), 'mine\n');
  });

  t.test('everything is upgraded by "*" with latest', async (t) => {
    await repairs(t, host, {
      type: 'package',
      parameters: { package: '*', state: 'latest' },
      damage:
        'apt-get -qy -o Dpkg::Options::=--force-confold --allow-downgrades install lab-hello=1.0 >/dev/null',
      action: 'updated',
    });
    t.equal(await version('lab-hello'), 'ii 1.1');
  });

  t.test('a locked version is held, and held again after someone released it', async (t) => {
    const parameters = {
      package: 'lab-hello',
      version: '1.0',
      lock_version: true,
      allow_downgrade: true,
    };
    await repairs(t, host, { type: 'package', parameters, action: 'updated' });
    t.equal(await version('lab-hello'), 'hi 1.0');
    const damage = 'apt-mark unhold lab-hello >/dev/null';
    await repairs(t, host, { type: 'package', parameters, damage, action: 'updated' });
    const moved = { ...parameters, version: '1.1' };
    await repairs(t, host, { type: 'package', parameters: moved, action: 'updated' });
    t.equal(await version('lab-hello'), 'hi 1.1', 'a new locked version replaces a held one');
  });

  t.test('a package that comes as a file brings what it depends on', async (t) => {
    const type = 'nonrepo_package';
    const file = { url: '/srv/apt/lab-other_2.0_all.deb' };
    const absent = { package: 'lab-other', state: 'absent' };
    await repairs(t, host, { type, parameters: absent, action: 'deleted' });
    await host.must(['apt-get', '-qy', 'remove', 'lab-needed']);
    await repairs(t, host, { type, parameters: file, action: 'created' });
    t.equal(await version('lab-needed'), 'ii 1.0');
    const old = { url: 'file:///srv/apt/lab-hello_1.0_all.deb', allow_downgrade: true };
    await host.must(['apt-mark', 'unhold', 'lab-hello']);
    await repairs(t, host, { type, parameters: old, action: 'updated' });
    const held = { url: '/srv/apt/lab-hello_1.1_all.deb', lock_version: true };
    await repairs(t, host, { type, parameters: held, action: 'updated' });
    t.equal(await version('lab-hello'), 'hi 1.1');
    const other = { url: '/srv/apt/lab-hello_1.1_all.deb', package: 'lab-slow' };
    t.match(await convergeOne(host, type, other), {
      action: 'failed',
      errorCode: 'AGENT_PACKAGE_FILE',
    });
  });

  t.test('a source of packages is one for apt, until it is absent', async (t) => {
    const type = 'repository';
    const parameters = { repository: 'lab-own', repo: 'deb [trusted=yes] copy:/srv/apt ./' };
    const known = () => host.must(['apt-get', 'indextargets', '--format', '$(SOURCESENTRY)']);
    await repairs(t, host, { type, parameters, action: 'created' });
    t.match(await known(), /lab-own/);
    const damage = 'echo x > /etc/apt/sources.list.d/lab-own.list';
    await repairs(t, host, { type, parameters, damage, action: 'updated' });
    const absent = { repository: 'lab-own', state: 'absent' };
    await repairs(t, host, { type, parameters: absent, action: 'deleted' });
    t.notMatch(await known(), /lab-own/);
  });

  t.test('removal takes a held package, purge its configuration', async (t) => {
    const parameters = { package: 'lab-hello', state: 'absent' };
    await repairs(t, host, { type: 'package', parameters, action: 'deleted' });
    t.match(await version('lab-hello'), /^[rh]c /, 'without purge the configuration stays');
    const purge = { ...parameters, purge: true };
    await repairs(t, host, { type: 'package', parameters: purge, action: 'deleted' });
    t.notOk(await version('lab-hello').then((text) => /^.c/.test(text)));
  });

  t.test('what nothing needs any more goes with post_cleanup', async (t) => {
    const parameters = { package: 'lab-other', state: 'absent', post_cleanup: true };
    await repairs(t, host, { type: 'package', parameters, action: 'deleted' });
    t.notMatch(await version('lab-needed'), /^ii/);
  });

  t.test('an installation that was killed is finished by the next pass', async (t) => {
    const parameters = { package: 'lab-slow', timeout: '2s' };
    const killed = await convergeOne(host, 'package', parameters);
    t.match(killed, { action: 'failed', errorCode: 'AGENT_COMMAND_TIMEOUT' });
    t.notMatch(await version('lab-slow'), /^ii/);
    await host.must(['touch', '/run/lab-go']);
    const repaired = await convergeOne(host, 'package', { package: 'lab-slow' });
    t.match(repaired, { action: 'updated', reason: /interrupted/ });
    t.equal(await version('lab-slow'), 'ii 1.0');
  });

  t.test('trouble of the machine blocks, a wrong name fails', async (t) => {
    const unknown = await convergeOne(host, 'package', { package: 'no-such-thing' });
    t.match(unknown, { action: 'failed', errorCode: 'AGENT_PACKAGE_UNKNOWN' });
    const lists = join(host.root, 'etc/apt/sources.list.d/broken.list');
    writeFileSync(lists, 'deb copy:/srv/nothing ./\n');
    const broken = { package: 'lab-hello', update_cache: true };
    t.match(await convergeOne(host, 'package', broken), {
      action: 'blocked',
      errorCode: 'AGENT_PACKAGE_REPOSITORY',
    });
    rmSync(lists);
    writeFileSync(join(host.root, 'root/lock.pl'), lockHolder);
    await host.must(['systemd-run', '-q', '--unit=lab-lock', 'perl', '/root/lock.pl']);
    const wait = 'until [ -e /run/lab-locked ]; do sleep 0.05; done';
    await host.must(['timeout', '10', 'sh', '-c', wait]);
    t.match(await convergeOne(host, 'package', { package: 'lab-hello' }), {
      action: 'blocked',
      errorCode: 'AGENT_PACKAGE_LOCKED',
    });
    await host.must(['systemctl', 'stop', 'lab-lock.service']);
    t.match(await convergeOne(host, 'package', { package: 'lab-hello' }), { action: 'created' });
  });
});

/** perl-base is essential in Debian, and its fcntl takes the same lock as dpkg. */
const lockHolder = `open(F, ">>", "/var/lib/dpkg/lock-frontend");
my $lock = pack("ssx4qqi", 1, 0, 0, 0, 0);
fcntl(F, 6, $lock) or die;
open(READY, ">", "/run/lab-locked");
close(READY);
sleep 60;
`;
