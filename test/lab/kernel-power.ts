import type { Test } from 'tap';
import type { KernelHost } from './kernel-host.ts';
import { agentIsGone, converge, type LabResource } from './resources.ts';

const directory = '/srv/many';
const count = 60;
const size = 20_000;
const contentOf = (version: string, index: number) =>
  `${version} ${index}\n`.padEnd(size, `${version}.`);
const filesOf = (version: string): LabResource[] =>
  Array.from({ length: count }, (_, index) => ({
    name: `file ${index}`,
    type: 'file',
    parameters: {
      target_path: `${directory}/${index}`,
      content: contentOf(version, index),
      mode: '0640',
    },
  }));
const swap: LabResource = {
  name: 'swap',
  type: 'swap',
  parameters: { path: '/srv/swap', size: '4M', fstab: false },
};

/** A line per file: its name, size, first word and the digest of the rest. */
const listCommand = [
  'sh',
  '-c',
  `cd ${directory} && ls -A | while read -r name; do
    echo "$name $(stat -c '%s %a' "$name") $(head -c 3 "$name") $(md5sum <"$name")"; done`,
];

async function listed(host: KernelHost): Promise<ReadonlyMap<string, string>> {
  const lines = (await host.must(listCommand)).split('\n').filter(Boolean);
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(' ')), line]));
}

/**
 * The power goes while a pass overwrites files and formats a swap file. What lies there afterwards
 * is old or new, never a part, and the next pass finishes and clears up.
 */
export async function powerCutInAPass(t: Test, host: KernelHost): Promise<void> {
  t.equal((await converge(host, filesOf('old'))).summary.created, count);
  const old = await listed(host);
  const whole = (line: string) => {
    const [, bytes, mode, version] = line.split(' ');
    return bytes === String(size) && mode === '640' && (version === 'old' || version === 'new');
  };
  const pass = converge(host, [...filesOf('new'), swap]).catch(() => undefined);
  const underWay = `until grep -q new ${directory}/5; do :; done`;
  await host.must(['timeout', '60', 'sh', '-c', underWay]);
  await host.cutPower();
  agentIsGone(host);
  t.equal(await pass, undefined, 'the pass did not end');

  const after = await listed(host);
  const named = [...after].filter(([name]) => /^\d+$/.test(name));
  t.equal(named.length, count, 'no file is gone');
  t.same(
    named.map(([, line]) => line).filter((line) => !whole(line)),
    [],
    'none is half-written',
  );
  const left = named.filter(([name, line]) => old.get(name) === line).length;
  t.ok(left > 0, `${left} of ${count} files were still old`);
  t.match(await host.must(['sh', '-c', 'ls -A /srv']), /many/);

  const done = await converge(host, [...filesOf('new'), swap]);
  t.match(done.summary, { failed: 0, blocked: 0, skipped: 0 });
  const names = [...(await listed(host)).keys()].filter((name) => !/^\d+$/.test(name));
  t.same(names, [], 'nothing of the pass that was cut is left behind');
  t.match(await host.must(['cat', '/proc/swaps']), /\/srv\/swap/);
  t.equal((await converge(host, [...filesOf('new'), swap])).summary.unchanged, count + 1);
  t.equal((await host.must(['sh', '-c', 'dmesg | grep -ci "ext4-fs error" || true'])).trim(), '0');
}
