import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import t, { type Test } from 'tap';
import type { PolicyValue } from '../../agent/protocol/bundle.ts';
import { backendsOf } from '../support/lab-coverage.ts';
import { requires } from '../support/requires.ts';
import { makeRepository, repositoryInHost, useRepository } from './apt-repository.ts';
import { repairs } from './cycle.ts';
import { debianPackages } from './debian-packages.ts';
import { type Lab, type LabHost, startLab } from './lab.ts';
import { publishPacmanPackages, usePacmanPackages } from './pacman-repository.ts';
import { convergeOne } from './resources.ts';
import { publishRpms, type SmallPackage, useRpms } from './rpm-repository.ts';

const skip = requires('root', 'linux', 'command:systemd-nspawn', 'command:mmdebstrap');

const programs = ['dnf', 'rpm', 'zypper', 'createrepo-c', 'zstd', 'libarchive-tools'];
const packages: readonly SmallPackage[] = [
  { name: 'lab-hello', version: '1.0' },
  { name: 'lab-hello', version: '1.1' },
  { name: 'lab-needed', version: '1.0' },
  { name: 'lab-other', version: '2.0', requires: 'lab-needed' },
  { name: 'lab-base', version: '1.0' },
];

interface ManagerUnderTest {
  readonly name: string;
  /** ID or ID_LIKE in os-release, by which the agent chooses among all that are installed. */
  readonly system: string;
  readonly use: (host: LabHost, directory?: string) => void;
  readonly version: readonly string[];
  readonly remove: string;
  readonly unhold?: string;
  /** A package that no repository has to be asked for, in versions 1.0 and 1.1. */
  readonly file?: (version: string) => string;
  /** Where its packages lie, and how it tells the sources that it takes. */
  readonly source: string;
  readonly sources: string;
  /** Takes the database, in the background, until /run/lab-go is there. */
  readonly lock: string;
}

const rpmFile = (version: string) => `/srv/rpm/lab-hello-${version}-1.noarch.rpm`;
const rpm = {
  source: 'file:///srv/rpm',
  file: rpmFile,
  use: useRpms,
  version: ['rpm', '-q', '--qf', '%{VERSION}'],
};
const managers: readonly ManagerUnderTest[] = [
  {
    name: 'dnf',
    system: 'fedora',
    sources: 'dnf -q repolist',
    ...rpm,
    remove: 'dnf -q -y remove lab-hello',
    unhold: 'dnf -q versionlock delete lab-hello',
    lock: '',
  },
  {
    name: 'yum',
    system: 'centos',
    sources: 'yum -q repolist',
    ...rpm,
    remove: 'yum -q -y remove lab-hello',
    lock: '',
  },
  {
    name: 'zypper',
    system: 'suse',
    sources: 'zypper lr',
    ...rpm,
    remove: 'zypper -q -n remove lab-hello',
    unhold: 'zypper -q -n removelock lab-hello',
    lock: 'tail -f /dev/null | zypper -n shell',
  },
  {
    name: 'pacman',
    system: 'arch',
    source: 'file:///srv/pacman',
    sources: 'pacman-conf --repo-list',
    use: usePacmanPackages,
    version: ['pacman', '-Q'],
    remove: 'pacman -R --noconfirm lab-hello',
    unhold: "sed -i '/IgnorePkg/d' /etc/pacman.conf",
    lock: 'touch /var/lib/pacman/db.lck; sleep 60',
  },
];

t.test('package managers of other systems, on one Debian', { skip }, async (t) => {
  let lab: Lab;
  let host: LabHost;
  let repository: string;

  t.before(async () => {
    repository = makeRepository([], debianPackages([...programs, 'pacman-package-manager']));
    chmodSync(repository, 0o755);
    lab = await startLab({ shared: { [repositoryInHost]: repository } });
    host = await lab.host('managers');
    useRepository(host);
    await host.must([
      'sh',
      '-ec',
      `apt-get -qq update
      apt-get -qqy -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-unsafe-io --no-install-recommends \\
        install ${programs.join(' ')} pacman-package-manager >/dev/null
      ln -sf dnf-3 /usr/bin/yum`,
    ]);
    await addVersionlock(host);
    await publishRpms(host, packages);
    await publishPacmanPackages(host, packages);
    // zypper calls it trouble when the database of rpm is empty.
    await host.must([
      'sh',
      '-ec',
      'rpm -i --nodeps /srv/rpm/lab-base-1.0-1.noarch.rpm 2>/dev/null',
    ]);
  });
  t.teardown(async () => {
    await lab.stop();
    rmSync(repository, { recursive: true, force: true });
  });

  for (const manager of managers)
    t.test(manager.name, async (t) => {
      rmSync(join(host.root, 'etc/os-release'), { force: true });
      writeFileSync(join(host.root, 'etc/os-release'), `ID="x"\nID_LIKE="y ${manager.system}"\n`);
      // Another agent, which finds out for itself what the machine is.
      const machine = { ...host };
      const from = { dnf: 'rpm by dnf', zypper: 'rpm by zypper' }[manager.name] ?? manager.name;
      const { name } = manager;
      backendsOf(machine, { package: name, repository: name, nonrepo_package: from });
      const one = (parameters: Readonly<Record<string, PolicyValue>>) =>
        convergeOne(machine, 'package', parameters);
      const version = async (name: string) =>
        /\d+\.\d+/.exec((await host.run([...manager.version, name])).stdout)?.[0];
      const hello = { package: 'lab-hello' };
      const cycle = { type: 'package', parameters: hello } as const;
      const all = 'lab-hello,lab-other';
      const gone = {
        type: 'package',
        parameters: { package: all, state: 'absent', post_cleanup: true },
        action: 'deleted',
      } as const;

      await repairs(t, machine, {
        ...cycle,
        parameters: { package: all, update_cache: true },
        action: 'created',
      });
      t.equal(await version('lab-needed'), '1.0', 'with what it needs');
      await repairs(t, machine, {
        ...cycle,
        damage: `${manager.remove} >/dev/null 2>&1`,
        action: 'created',
        reason: /^lab-hello is not installed$/,
      });
      t.equal(await version('lab-hello'), '1.1');
      // The same program under its old name.
      if (manager.name === 'yum') return repairs(t, machine, gone);

      const old = { ...hello, version: '1.0' };
      t.match(await one(old), {
        action: 'failed',
        errorCode: 'AGENT_PACKAGE_FAILED',
        reason: /downgrade/,
      });
      const down = { ...old, allow_downgrade: true };
      await repairs(t, machine, { ...cycle, parameters: down, action: 'updated' });
      t.equal(await version('lab-hello'), '1.0');
      await repairs(t, machine, {
        ...cycle,
        parameters: { ...hello, state: 'latest' },
        action: 'updated',
        reason: /is 1.0-1, not 1.1-1/,
      });

      const locked = { ...down, lock_version: true };
      await repairs(t, machine, { ...cycle, parameters: locked, action: 'updated' });
      if (manager.unhold !== undefined)
        await repairs(t, machine, {
          ...cycle,
          parameters: locked,
          damage: `${manager.unhold} >/dev/null 2>&1`,
          action: 'updated',
          reason: /lab-hello is not held/,
        });
      const moved = { ...locked, version: '1.1' };
      await repairs(t, machine, { ...cycle, parameters: moved, action: 'updated' });
      t.equal(await version('lab-hello'), '1.1', 'a new locked version replaces a held one');
      await repairs(t, machine, {
        ...cycle,
        parameters: { ...hello, state: 'absent', purge: true },
        action: 'deleted',
      });
      t.equal(await version('lab-hello'), undefined, 'a held one goes too');

      await repairs(t, machine, { ...cycle, parameters: down, action: 'created' });
      const newest = { package: '*', state: 'latest' };
      t.match(await one(newest), { action: 'updated', reason: /^1 packages can be upgraded$/ });
      t.equal(await version('lab-hello'), '1.1', '"*" with latest upgrades everything');

      if (manager.file !== undefined) await fromFile(t, machine, manager.file);
      await ownSource(t, machine, manager);
      t.match(await one({ package: 'no-such-thing' }), {
        action: 'failed',
        errorCode: 'AGENT_PACKAGE_UNKNOWN',
      });
      manager.use(host, '/srv/nowhere');
      t.match(await one({ package: 'no-such-thing', update_cache: true }), {
        action: 'blocked',
        errorCode: 'AGENT_PACKAGE_REPOSITORY',
      });
      manager.use(host);
      if (manager.lock !== '') {
        const unit = `lab-lock-${manager.name}`;
        const start = ['systemd-run', '-q', '--unit', unit, 'sh', '-c', manager.lock];
        await host.must(start);
        await host.must(['sleep', '0.5']);
        t.match(await one({ ...hello, state: 'absent' }), {
          action: 'blocked',
          errorCode: 'AGENT_PACKAGE_LOCKED',
        });
        await host.must(['systemctl', 'stop', unit]);
        await host.must(['rm', '-f', '/var/lib/pacman/db.lck']);
      }
      return repairs(t, machine, gone);
    });
});

/** A file of the node: an older one only when allowed, a newer one by itself, then gone. */
async function fromFile(t: Test, host: LabHost, file: (version: string) => string): Promise<void> {
  const type = 'nonrepo_package';
  const older = { url: file('1.0') };
  t.match(await convergeOne(host, type, older), { action: 'failed', reason: /downgrade/ });
  const down = { ...older, allow_downgrade: true };
  await repairs(t, host, { type, parameters: down, action: 'updated' });
  await repairs(t, host, {
    type,
    parameters: { url: file('1.1') },
    action: 'updated',
    reason: /is 1.0-1, not 1.1-1/,
  });
  const absent = { package: 'lab-hello', state: 'absent' };
  await repairs(t, host, { type, parameters: absent, action: 'deleted' });
  await repairs(t, host, { type, parameters: { url: file('1.1') }, action: 'created' });
}

/** The package manager itself says that it knows the source, and no more once it is absent. */
async function ownSource(t: Test, host: LabHost, manager: ManagerUnderTest): Promise<void> {
  const type = 'repository';
  const parameters = { repository: 'lab-own', repo: manager.source };
  const known = async () => (await host.run(['sh', '-c', manager.sources])).stdout;
  await repairs(t, host, { type, parameters, action: 'created' });
  t.match(await known(), /lab-own/);
  const damage = 'find /etc -name "lab-own.*" -exec sed -i s/lab-own/other/ {} +';
  await repairs(t, host, { type, parameters, damage, action: 'updated' });
  const absent = { repository: 'lab-own', state: 'absent' };
  await repairs(t, host, { type, parameters: absent, action: 'deleted' });
  t.notMatch(await known(), /lab-own/);
}

/** Debian's package of the plugin cannot stand beside zypper, so its two files are taken out of it. */
async function addVersionlock(host: LabHost): Promise<void> {
  const file = debianPackages(['dnf', 'dnf-plugins-core']).find((path) =>
    basename(path).startsWith('dnf-plugins-core_'),
  )!;
  host.copyIn(file, '/root/plugins.deb');
  const modules = './usr/lib/python3/dist-packages';
  await host.must([
    'sh',
    '-ec',
    `dpkg-deb --fsys-tarfile /root/plugins.deb | tar -x -C / ${modules}/dnfpluginscore \\
      ${modules}/dnf-plugins/versionlock.py ./etc/dnf/plugins/versionlock.conf
    touch /etc/dnf/plugins/versionlock.list`,
  ]);
}
