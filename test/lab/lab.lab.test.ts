import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { requires } from '../support/requires.ts';
import { labDirectory } from './base.ts';
import { startLab } from './lab.ts';

const skip = requires('root', 'linux', 'command:systemd-nspawn', 'command:mmdebstrap');
const helper = fileURLToPath(new URL('lab.ts', import.meta.url));
const program = `const { startLab } = await import(${JSON.stringify(helper)});
const lab = await startLab();
await lab.host('orphan');
console.log(lab.namespace);
setInterval(() => {}, 1000);`;

function namespaces(): readonly string[] {
  return existsSync('/run/netns') ? readdirSync('/run/netns') : [];
}

t.test('hosts reach each other and have no power over the machine', { skip }, async (t) => {
  const lab = await startLab();
  t.teardown(() => lab.stop());
  const [one, two] = await Promise.all([lab.host('one'), lab.host('two')]);
  t.equal(await one.must(['hostname']), 'one\n');
  const listen = ['perl', '-MIO::Socket::INET', '-e'];
  const server = `my $s = IO::Socket::INET->new(Listen => 1, LocalPort => 99) or die;
    open(my $f, ">", "/run/lab-ready"); close($f); print { $s->accept } "hello"`;
  await two.must(['systemd-run', '-q', ...listen, server.replaceAll('$', '$$$$')]);
  await two.must(['timeout', '10', 'sh', '-c', 'until [ -e /run/lab-ready ]; do sleep 0.05; done']);
  const client = `print readline(IO::Socket::INET->new("${two.address}:99") or die)`;
  t.equal(await one.must([...listen, client]), 'hello');
  const clock = await one.run(['date', '-s', '2001-01-01']);
  t.not(clock.exitCode, 0, 'a host cannot set the clock of the machine');
});

t.test('hosts that come and go leave the server where others look for it', { skip }, async (t) => {
  const lab = await startLab();
  t.teardown(() => lab.stop());
  const bridge = ['-n', lab.namespace, '-brief', 'link', 'show', 'type', 'bridge'];
  const address = () => /[0-9a-f:]{17}/.exec(execFileSync('ip', bridge, { encoding: 'utf8' }))?.[0];
  const before = address();
  t.type(before, 'string');
  await Promise.all(['one', 'two', 'three'].map((name) => lab.host(name)));
  t.equal(address(), before);
});

t.test('a reboot is a new boot of the same disk on the same network', { skip }, async (t) => {
  const lab = await startLab();
  t.teardown(() => lab.stop());
  const host = await lab.host('again');
  const read = (path: string) => host.must(['cat', path]);
  const bootId = '/proc/sys/kernel/random/boot_id';
  await host.must(['touch', '/root/kept', '/run/lost']);
  for (const time of ['once', 'twice']) {
    const [boot, machine] = [await read(bootId), await read('/etc/machine-id')];
    await host.reboot();
    t.not(await read(bootId), boot, `booted ${time}`);
    t.equal(await read('/etc/machine-id'), machine);
    t.match(await host.must(['ip', '-o', 'addr']), host.address);
    t.equal(await host.must(['ls', '/root']), 'kept\n');
    t.not((await host.run(['test', '-e', '/run/lost'])).exitCode, 0, 'memory is not kept');
  }
});

t.test('what a killed test run left behind is gone after the next start', { skip }, async (t) => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', program]);
  const [namespace] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  child.kill('SIGKILL');
  await once(child, 'close');
  t.ok(namespaces().includes(`${namespace}-orphan`), 'the host outlived its test run');
  const lab = await startLab();
  t.teardown(() => lab.stop());
  t.same(
    namespaces().filter((name) => name.startsWith(namespace)),
    [],
  );
  const left = readdirSync(join(labDirectory(), 'labs')).filter((name) =>
    existsSync(join(labDirectory(), 'labs', name, 'hosts', 'orphan')),
  );
  t.same(left, []);
});
