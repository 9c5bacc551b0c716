import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Platform } from '../../../../agent/platform/platform.ts';
import { SystemdManager } from '../../../../agent/platform/services/systemd.ts';
import { type SimulatedTool, simulatedMachine } from '../../../support/simulated-machine.ts';

const enabling = '/etc/systemd/system/multi-user.target.wants';
const fragment = '/usr/lib/systemd/system/web.service';
const dropIn = '/etc/systemd/system/web.service.d';
const link = '/run/systemd/units/invocation:web.service';
const longAgo = new Date('2020-01-01T00:00:00Z');

/** A machine whose systemd says what the fields hold; its files lie beneath a directory. */
class Machine {
  readonly root = mkdtempSync(join(tmpdir(), 'vigo-units-'));
  fields: Record<string, string> = {
    LoadState: 'loaded',
    ActiveState: 'active',
    SubState: 'running',
    UnitFileState: 'enabled',
    NeedDaemonReload: 'no',
    FragmentPath: fragment,
    DropInPaths: `${dropIn}/limits.conf`,
    InvocationID: 'run-1',
  };
  calls = 0;
  readonly manager: SystemdManager;

  constructor(t: Test) {
    t.teardown(() => rmSync(this.root, { recursive: true, force: true }));
    for (const path of [enabling, dropIn, '/usr/lib/systemd/system', '/run/systemd/units'])
      mkdirSync(join(this.root, path), { recursive: true });
    writeFileSync(join(this.root, fragment), '[Service]\nExecStart=/bin/web\n');
    writeFileSync(join(this.root, `${dropIn}/limits.conf`), '[Service]\n');
    this.start('run-1');
    this.age();
    this.manager = new SystemdManager(this.#platform());
  }

  /** Nothing was changed for a long time. */
  age(): void {
    const directories = [enabling, dropIn, '/etc/systemd/system', '/usr/lib/systemd/system'];
    for (const path of [...directories, fragment, `${dropIn}/limits.conf`])
      utimesSync(join(this.root, path), longAgo, longAgo);
  }

  start(run: string): void {
    this.stop();
    symlinkSync(run, join(this.root, link));
    this.fields.InvocationID = run;
  }

  stop(): void {
    rmSync(join(this.root, link), { force: true });
  }

  path(path: string): string {
    return join(this.root, path);
  }

  /** What the agent sees, and whether systemd was asked for it. */
  async look(): Promise<{ activity: string; boot: string; asked: boolean }> {
    const before = this.calls;
    const { activity, boot } = await this.manager.status('web');
    return { activity, boot, asked: this.calls > before };
  }

  #platform(): Platform {
    const systemctl: SimulatedTool = (words) => {
      if (!words.includes('show')) return {};
      this.calls += 1;
      const lines = Object.entries({ Id: 'web.service', ...this.fields });
      return { stdout: lines.map(([name, value]) => `${name}=${value}\n`).join('') };
    };
    const platform = simulatedMachine({ '/usr/bin/systemctl': systemctl })('/');
    const { files } = platform;
    const beneath = (path: string) => join(this.root, path);
    return {
      ...platform,
      files: Object.assign(Object.create(files), {
        status: (path: string) => files.status(beneath(path)),
        list: (path: string) => files.list(beneath(path)),
        readLink: (path: string) => files.readLink(beneath(path)),
      }),
    };
  }
}

t.test('a service in the same run, with the same files, is not asked for again', async (t) => {
  const machine = new Machine(t);
  const running = { activity: 'running', boot: 'enabled' };
  t.same(await machine.look(), { ...running, asked: true });
  t.same(await machine.look(), { ...running, asked: false });
  t.same(await machine.look(), { ...running, asked: false });
});

const changes: Readonly<Record<string, (machine: Machine) => void>> = {
  'stopped or died': (machine) => machine.stop(),
  'started anew': (machine) => machine.start('run-2'),
  'enabled or disabled': ({ path }) => symlinkSync(fragment, path(`${enabling}/web.service`)),
  masked: ({ path }) => symlinkSync('/dev/null', path('/etc/systemd/system/web.service')),
  'its unit file edited in place': ({ path }) => appendFileSync(path(fragment), '# mine\n'),
  'its unit file removed': ({ path }) => rmSync(path(fragment)),
  'a drop-in edited in place': ({ path }) => appendFileSync(path(`${dropIn}/limits.conf`), '#\n'),
  'a drop-in added': ({ path }) => writeFileSync(path(`${dropIn}/more.conf`), ''),
  'a first drop-in of a vendor': ({ path }) => mkdirSync(path(`${fragment}.d`)),
  'enabled for a target that had none': ({ path }) =>
    mkdirSync(path('/etc/systemd/system/graphical.target.wants')),
  'enabled until the next boot': ({ path }) =>
    mkdirSync(path('/run/systemd/system/multi-user.target.wants'), { recursive: true }),
};
for (const [what, change] of Object.entries(changes))
  t.test(`seen at once: ${what}`, async (t) => {
    const machine = new Machine(t);
    await machine.look();
    t.equal((await machine.look()).asked, false);
    Object.assign(machine, { path: machine.path.bind(machine) });
    change(machine);
    machine.fields.SubState = 'other';
    t.equal((await machine.look()).asked, true);
  });

t.test('what files cannot prove is always asked', async (t) => {
  const doubts: readonly Record<string, string>[] = [
    { ActiveState: 'inactive', InvocationID: '' },
    { ActiveState: 'activating' },
    { ActiveState: 'failed' },
    { NeedDaemonReload: 'yes' },
    { UnitFileState: 'transient' },
    { InvocationID: 'another run than the link tells' },
  ];
  for (const doubt of doubts) {
    const machine = new Machine(t);
    Object.assign(machine.fields, doubt);
    await machine.look();
    t.equal((await machine.look()).asked, true, JSON.stringify(doubt));
  }
});

t.test('what was changed a moment ago may change again with the same time stamp', async (t) => {
  const machine = new Machine(t);
  const now = new Date();
  utimesSync(machine.path(fragment), now, now);
  await machine.look();
  t.equal((await machine.look()).asked, true);
  machine.age();
  await machine.look();
  t.equal((await machine.look()).asked, false);
});

t.test('after an act everything is asked again', async (t) => {
  const machine = new Machine(t);
  await machine.look();
  const status = await machine.manager.status('web');
  await machine.manager.act('reload', status);
  t.equal((await machine.look()).asked, true);
});
