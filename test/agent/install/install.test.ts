import { execFileSync } from 'node:child_process';

import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { AgentError } from '../../../agent/errors.ts';
import { installAgent } from '../../../agent/install/install.ts';
import {
  commandLink,
  currentLink,
  currentProgram,
  logFile,
  logRotation,
  pidFile,
} from '../../../agent/install/layout.ts';
import { motdBanner, profileBanner } from '../../../agent/install/login-banner.ts';
import { initSystems, serviceFile } from '../../../agent/install/service-files.ts';
import { uninstallAgent } from '../../../agent/install/uninstall.ts';
import { createNodePlatform } from '../../../agent/platform/node-platform.ts';
import type { Platform } from '../../../agent/platform/platform.ts';
import { PlatformError } from '../../../agent/platform/platform-error.ts';
import type {
  ServiceManager,
  ServiceStatus,
} from '../../../agent/platform/services/service-manager.ts';
import { standardLayout } from '../../../agent/policy/guardrails.ts';
import { faultyPlatform } from '../../support/faulty-platform.ts';
import { requires } from '../../support/requires.ts';

const removal = {
  configDirectory: '/etc/vigo-envoy',
  stateDirectory: '/var/lib/vigo',
  keepState: false,
};

/** Stands in for an init system, which a test cannot have: knows what is enabled and running. */
class PretendedManager implements ServiceManager {
  readonly name = 'openrc';
  readonly acts: string[] = [];
  refusesStart = false;
  #running = false;
  #enabled = false;
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  async status(): Promise<ServiceStatus> {
    const exists = existsSync(join(this.#root, serviceFile('openrc').path));
    return {
      unit: 'vigo-envoy',
      exists,
      activity: this.#running ? 'running' : 'stopped',
      failed: false,
      boot: this.#enabled ? 'enabled' : 'disabled',
      definitionChanged: false,
      description: '',
    };
  }

  async enabled(): Promise<readonly string[]> {
    return [];
  }

  async act(act: string): Promise<void> {
    this.acts.push(act);
    if (act === 'start' && this.refusesStart) throw new AgentError('AGENT_SERVICE_FAILED', 'no');
    if (act === 'start' || act === 'stop') this.#running = act === 'start';
    if (act === 'enable' || act === 'disable') this.#enabled = act === 'enable';
  }
}

/** Every path below the root, with kind, mode, and target or content. */
function listing(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .map((name) => {
      const path = join(root, name);
      const status = lstatSync(path);
      const head = `./${name} ${(status.mode & 0o7777).toString(8)}`;
      if (status.isSymbolicLink()) return `${head} -> ${readlinkSync(path)}`;
      return status.isFile() ? `${head} ${readFileSync(path, 'utf8')}` : head;
    })
    .sort();
}

function machine(t: Test) {
  const root = mkdtempSync(join(tmpdir(), 'vigo-install-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  for (const path of ['etc/init.d', 'etc/logrotate.d', 'etc/update-motd.d', 'var/log', 'download'])
    mkdirSync(join(root, path), { recursive: true });
  const file = join(root, 'download/vigo');
  writeFileSync(file, 'the program', { mode: 0o755 });
  const manager = new PretendedManager(root);
  const platform = createNodePlatform({ root });
  let enrolled = 0;
  const install = (
    version = '1.0.0',
    on: Platform = platform,
    enroll = async () => ++enrolled < 2,
  ) => installAgent({ platform: on, program: { file, version }, manager, banner: true, enroll });
  return { root, manager, platform, install, file };
}

/** The nth call that needs room on the disk finds none; nothing else fails. */
function fullDisk(platform: Platform, nth: number): { platform: Platform; reached(): boolean } {
  let calls = 0;
  const needsRoom = ['writeAtomic', 'makeDirectory', 'symbolicLink', 'hardLink', 'copyFile'];
  const files = new Proxy(platform.files, {
    get: (target, name: keyof Platform['files']) => {
      const call = (target[name] as (...words: unknown[]) => unknown).bind(target);
      if (!needsRoom.includes(name)) return call;
      return async (...words: unknown[]) => {
        calls += 1;
        if (calls === nth) throw new PlatformError('ENOSPC', name, String(words[0]));
        return call(...words);
      };
    },
  });
  return { platform: { ...platform, files }, reached: () => calls >= nth };
}

t.test('what is installed is where the documentation says, and goes away whole', async (t) => {
  const { root, manager, platform, install } = machine(t);
  const before = listing(root);
  t.equal(await install(), true);
  const link = (path: string) => readlinkSync(join(root, path));
  t.equal(link('usr/local/lib/vigo/current'), '1.0.0');
  t.equal(link('usr/local/bin/vigo'), '../lib/vigo/current/vigo');
  t.equal(readFileSync(join(root, 'usr/local/lib/vigo/1.0.0/vigo'), 'utf8'), 'the program');
  t.same(manager.acts, ['reread', 'enable', 'start']);
  const installed = listing(root);
  t.notOk(
    installed.some((line) => line.includes('.tmp ')),
    'no temporary file stays',
  );

  manager.acts.length = 0;
  writeFileSync(join(root, 'usr/local/bin/vigo-other'), '');
  t.equal(await install('1.0.0'), true, 'another file of the same version takes its place');
  t.same(manager.acts, ['restart'], 'and is started');

  mkdirSync(join(root, 'var/lib/vigo'), { recursive: true });
  writeFileSync(join(root, 'var/log/vigo-envoy.log.1'), '');
  const kept = await uninstallAgent(platform, { ...removal, keepState: true });
  t.notOk(kept.includes('/var/lib/vigo'));
  t.same(await uninstallAgent(platform, removal), ['/var/lib/vigo']);
  t.same(await uninstallAgent(platform, removal), [], 'a second time there is nothing');
  rmSync(join(root, 'usr/local/bin/vigo-other'));
  for (const path of ['usr', 'var/lib']) rmSync(join(root, path), { recursive: true, force: true });
  t.same(listing(root), before);
});

t.test('the documentation lists every place', async (t) => {
  const page = readFileSync(new URL('../../../docs/install.md', import.meta.url), 'utf8');
  const places = [currentLink, commandLink, logFile, pidFile, logRotation];
  const files = initSystems.map((init) => serviceFile(init).path);
  for (const path of [...places, ...files, motdBanner.path, profileBanner.path])
    t.ok(page.includes(path), path);
});

t.test('an upgrade keeps the version before it, and no older one', async (t) => {
  const { root, install } = machine(t);
  for (const version of ['1.0.0', '1.1.0', '1.2.0']) await install(version);
  const names = readdirSync(join(root, 'usr/local/lib/vigo')).sort();
  t.same(names, ['1.1.0', '1.2.0', 'current']);
});

t.test('whatever fails, the machine is as it was', async (t) => {
  for (const upgrade of [false, true]) {
    const { root, manager, install, platform } = machine(t);
    if (upgrade) await install('1.0.0');
    const before = listing(root);
    const refused = async () => {
      throw new AgentError('AGENT_NOT_REGISTERED');
    };
    await t.rejects(install('1.1.0', platform, refused), { code: 'AGENT_NOT_REGISTERED' });
    t.same(listing(root), before, 'after a token that is refused');
    if (!upgrade) {
      manager.refusesStart = true;
      await t.rejects(install('1.1.0'), { code: 'AGENT_SERVICE_FAILED' });
      t.same(listing(root), before, 'after a service that does not start');
      manager.refusesStart = false;
    }
    for (let nth = 1; ; nth += 1) {
      const full = fullDisk(platform, nth);
      const outcome = await install('1.1.0', full.platform).then(
        () => 'installed',
        (error: AgentError) => error.code,
      );
      if (!full.reached()) break;
      t.equal(outcome, 'AGENT_INSTALL_FAILED', `disk full at call ${nth}`);
      t.same(listing(root), before);
    }
  }
});

t.test('killed at any moment, the next run ends right', async (t) => {
  const whole = machine(t);
  await whole.install('1.0.0');
  await whole.install('1.1.0');
  const after = listing(whole.root);
  for (let nth = 1; ; nth += 3) {
    const { root, install, platform } = machine(t);
    await install('1.0.0');
    const faulty = faultyPlatform(platform, nth, 'after');
    await install('1.1.0', faulty.platform).catch(() => undefined);
    if (!faulty.reached()) break;
    await install('1.1.0');
    const now = listing(root);
    // A killed first run of an upgrade may have named the new version already.
    t.same(
      now.filter((line) => !line.startsWith('./usr/local/lib/vigo/1.0.0')),
      after.filter((line) => !line.startsWith('./usr/local/lib/vigo/1.0.0')),
      `killed at call ${nth}`,
    );
  }
});

t.test('what belongs to somebody else is not touched', async (t) => {
  const { root, install, platform } = machine(t);
  mkdirSync(join(root, 'usr/local/bin'), { recursive: true });
  writeFileSync(join(root, 'usr/local/bin/vigo'), 'another program');
  const before = listing(root);
  await t.rejects(install(), { code: 'AGENT_INSTALL_OCCUPIED' });
  t.same(await uninstallAgent(platform, removal), []);
  t.same(listing(root), before);
});

/** What the daemon prints that a service file starts: a shell stands in for init and agent. */
function startedDaemon(t: Test, init: 'openrc' | 'sysv' | 'runit'): string {
  const directory = mkdtempSync(join(tmpdir(), 'vigo-service-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const at = (name: string) => join(directory, name);
  const file = serviceFile(init)
    .text.replaceAll(currentProgram, at('vigo'))
    .replaceAll(pidFile, at('pid'))
    .replaceAll(logFile, at('log'));
  writeFileSync(at('service'), file);
  const ends = init === 'sysv' ? 'kill -TERM $PPID\n' : '';
  const daemon = `#!/bin/sh\necho "$1 with $MALLOC_ARENA_MAX"\n${ends}`;
  writeFileSync(at('vigo'), daemon, { mode: 0o755 });
  const openrc = `. "$0"; "$command" "$command_args" >"$output_log"`;
  const words = init === 'openrc' ? ['-c', openrc, at('service')] : [at('service'), 'supervise'];
  execFileSync('sh', words, { timeout: 20_000 });
  return readFileSync(at('log'), 'utf8');
}

t.test('every init system starts the agent with one pool of memory', async (t) => {
  t.match(serviceFile('systemd').text, /^Environment=MALLOC_ARENA_MAX=1$/m);
  for (const init of ['openrc', 'sysv', 'runit'] as const)
    t.equal(startedDaemon(t, init), 'daemon with 1\n', init);
});

t.test(
  'service files are ones that their readers understand, and policy may not touch',
  async (t) => {
    for (const init of initSystems) {
      const { path, text } = serviceFile(init);
      t.ok(
        standardLayout.paths.some((known) => path.startsWith(known)),
        `${path} is guarded`,
      );
      if (init === 'systemd') continue;
      for (const shell of ['dash', 'busybox'])
        await t.test(`${init} by ${shell}`, { skip: requires(`command:${shell}`) }, async (t) => {
          const words = shell === 'busybox' ? ['sh', '-n', '-c', text] : ['-n', '-c', text];
          t.doesNotThrow(() => execFileSync(shell, words));
        });
    }
  },
);
