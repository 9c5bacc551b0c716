import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import t, { type Test } from 'tap';
import { editFstab, readFstabLine } from '../../../../agent/executors/unix/fstab.ts';
import { mountType } from '../../../../agent/executors/unix/mount.ts';
import { missingOptions, parseMountinfo } from '../../../../agent/executors/unix/mount-table.ts';
import { sizeBytes, swapType } from '../../../../agent/executors/unix/swap.ts';
import {
  type ExecutorCase,
  proveExecutor,
  refusedCases,
} from '../../../support/executor-harness.ts';
import { fc } from '../../../support/property.ts';
import {
  arrange,
  type SimulatedTool,
  simulatedMachine,
} from '../../../support/simulated-machine.ts';

const table = '/etc/fstab';
const kernel = '/proc/self/mountinfo';
const root = '22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n';
const line = 'tmpfs\t/srv/s\ttmpfs\tsize=8m,noexec\t0\t0\n';
const other = '# disks\n/dev/sda1 / ext4 defaults 0 1\n';
const on = (options = 'rw,noexec', device = 'tmpfs', type = 'tmpfs') =>
  `40 22 0:30 / /srv/s ${options} - ${type} ${device} rw,size=8192k\n`;
const node =
  (fstab: string, mounts = '') =>
  (root_: string) =>
    arrange(root_, { [table]: fstab, [kernel]: root + mounts, '/srv/s/x': '' });

/** Mounts as the table says, by writing the kernel's list. */
const mount: SimulatedTool = (words, place) => {
  const path = words.at(-1)!;
  const entry = readFileSync(place + table, 'utf8')
    .split('\n')
    .map(readFstabLine)
    .find((one) => one?.path === path);
  const options = words[0] === '-o' ? words[1]!.replace('remount,', '') : (entry?.options ?? '');
  if (entry === undefined || !existsSync(place + path)) return { exitCode: 32, stderr: 'bad' };
  const flags = options.split(',').filter((one) => !one.includes('='));
  const mine = `41 22 0:31 / ${path} rw,${flags.join(',')} - ${entry.type} ${entry.device} rw\n`;
  unmount(words, place, '');
  writeFileSync(place + kernel, readFileSync(place + kernel, 'utf8') + mine);
  return undefined;
};
const unmount: SimulatedTool = (words, place) => {
  const list = readFileSync(place + kernel, 'utf8').split('\n');
  const left = list.filter((one) => one.split(' ')[4] !== words.at(-1));
  writeFileSync(place + kernel, left.join('\n'));
  return undefined;
};

const scratch = { path: '/srv/s', device: 'tmpfs', fstype: 'tmpfs', options: 'size=8m,noexec' };
const isOn = (place: string, t: Test) => {
  t.equal(readFileSync(place + table, 'utf8'), other + line);
  const found = parseMountinfo(readFileSync(place + kernel, 'utf8')).get('/srv/s');
  t.match(found, { type: 'tmpfs', device: 'tmpfs' });
  t.ok(found?.options.has('noexec'));
};
const isOff = (place: string, t: Test) => {
  t.equal(readFileSync(place + table, 'utf8'), other);
  t.notOk(parseMountinfo(readFileSync(place + kernel, 'utf8')).has('/srv/s'));
};

const mounts: readonly ExecutorCase[] = [
  {
    name: 'from nothing',
    parameters: scratch,
    arrange: node(other),
    action: 'created',
    check: isOn,
  },
  { name: 'as declared', parameters: scratch, arrange: node(other + line, on()), action: 'none' },
  {
    name: 'the directory is made',
    parameters: scratch,
    arrange: (place) => {
      node(other)(place);
      rmSync(`${place}/srv`, { recursive: true });
    },
    action: 'created',
    check: isOn,
  },
  {
    name: 'only unmounted',
    parameters: scratch,
    arrange: node(other + line),
    action: 'updated',
    reason: /nothing is mounted there/,
    check: isOn,
  },
  {
    name: 'only the table',
    parameters: scratch,
    arrange: node(other, on()),
    action: 'updated',
    check: isOn,
  },
  {
    name: 'another file system',
    parameters: scratch,
    arrange: node(other + line, on('rw', '/dev/sdb', 'ext4')),
    action: 'updated',
    reason: /\/dev\/sdb \(ext4\) is mounted there/,
    check: isOn,
  },
  {
    name: 'without its flags',
    parameters: scratch,
    arrange: node(other + line, on('rw')),
    action: 'updated',
    reason: /without noexec/,
    check: isOn,
  },
  {
    name: 'said twice',
    parameters: scratch,
    arrange: node(other + line + line, on()),
    action: 'updated',
    reason: /stands twice/,
    check: isOn,
  },
  {
    name: 'only in the table',
    parameters: { ...scratch, state: 'present' },
    arrange: node(other),
    action: 'created',
    check: (place, t) => t.equal(readFileSync(place + table, 'utf8'), other + line),
  },
  {
    name: 'unmounted',
    parameters: { path: '/srv/s', state: 'unmounted' },
    arrange: node(other + line, on()),
    action: 'deleted',
    check: (place, t) => t.equal(readFileSync(place + table, 'utf8'), other + line),
  },
  {
    name: 'unmounted already',
    parameters: { path: '/srv/s', state: 'unmounted' },
    arrange: node(other),
    action: 'none',
  },
  {
    name: 'absent',
    parameters: { path: '/srv/s', state: 'absent' },
    arrange: node(other + line, on()),
    action: 'deleted',
    check: isOff,
  },
  {
    name: 'absent, only in the table',
    parameters: { path: '/srv/s', state: 'absent' },
    arrange: node(other + line),
    action: 'deleted',
    check: isOff,
  },
  {
    name: 'absent already',
    parameters: { path: '/srv/s', state: 'absent' },
    arrange: node(other),
    action: 'none',
  },
  ...refusedCases(scratch, [
    { device: '' },
    { fstype: 'a b' },
    { options: 'a b' },
    { path: '/a\nb' },
    { path: 'x' },
    { device: '-x' },
    { path: '/', state: 'absent' },
  ]),
];

t.test('a mount is what is declared', (t) =>
  proveExecutor(t, mountType, mounts, {
    platform: simulatedMachine({ mount, umount: unmount }),
    interrupted: 'first-of-each-action',
  }),
);

t.test('a file system in use is blocked, not failed', async (t) => {
  const busy = simulatedMachine({
    umount: () => ({ exitCode: 32, stderr: 'umount: /srv/s: target is busy.' }),
  });
  const place = t.testdir({});
  node(other + line, on())(place);
  const context = {
    platform: busy(place),
    signal: new AbortController().signal,
    triggered: false,
    snapshot: async () => {},
  };
  const spec = mountType.parse({ path: '/srv/s', state: 'absent' });
  const state = await mountType.observe(spec, context);
  const applied = mountType.apply(spec, state, { action: 'deleted', reason: '' }, context);
  await t.rejects(applied, { code: 'AGENT_MOUNT_BUSY', outcome: 'blocked' });
});

t.test('what cannot be used does not stand in the table at the next boot', async (t) => {
  const place = t.testdir({});
  const refuse: SimulatedTool = () => ({ exitCode: 32, stderr: 'wrong fs type, bad superblock' });
  const context = {
    platform: simulatedMachine({ mount: refuse, swapon: refuse })(place),
    signal: new AbortController().signal,
    triggered: false,
    snapshot: async () => {},
  };
  const drift = { action: 'created', reason: '' } as const;
  arrange(place, { [table]: other, [kernel]: root, [list]: headline, '/dev/sdb': '' });
  const disk = mountType.parse({ path: '/srv/s', device: '/dev/sdb', fstype: 'ext4' });
  const mounting = mountType.apply(disk, await mountType.observe(disk, context), drift, context);
  await t.rejects(mounting, { code: 'AGENT_MOUNT_FAILED' });
  const area = swapType.parse({ path: '/dev/sdb' });
  const using = swapType.apply(area, await swapType.observe(area, context), drift, context);
  await t.rejects(using, { code: 'AGENT_SWAP_FAILED' });
  t.equal(readFileSync(place + table, 'utf8'), other);
});

t.test('mount options are compared as far as the kernel shows them', async (t) => {
  const mounted = parseMountinfo(
    `${root}40 22 0:3 / /a\\040b ro,nosuid shared:1 - tmpfs x rw\n`,
  ).get('/a b')!;
  t.same(missingOptions('defaults,size=8m', mounted), []);
  t.same(missingOptions('noexec,nosuid', mounted), ['noexec']);
  t.same(missingOptions('ro,rw', mounted), ['rw'], 'the last one counts');
});

t.test('no declared text becomes a second line or field of the table', async () => {
  const word = fc.string({ unit: fc.constantFrom('a', ' ', '\t', '\n', '\\', '#', '/', ',') });
  fc.assert(
    fc.property(word, word, (path, device) => {
      const entry = {
        device: `d${device}`,
        path: `/${path}a`,
        type: 'x',
        options: 'o',
        dump: 0,
        pass: 0,
      };
      const text = editFstab(other, () => false, entry);
      const lines = text.slice(other.length).split('\n');
      const back = readFstabLine(lines[0]!);
      if (lines.length !== 2 || back?.device !== entry.device || back.path !== entry.path)
        throw new Error(JSON.stringify(text));
    }),
  );
});

const swapfile = '/swapfile';
const list = '/proc/swaps';
const headline = 'Filename Type Size Used Priority\n';
const used = (priority = -2) => `${headline}${swapfile} file 1024 0 ${priority}\n`;
const swapLine = '/swapfile\tnone\tswap\tsw\t0\t0\n';
const tools: Readonly<Record<string, SimulatedTool>> = {
  dd: (words, place) => {
    const target = words.find((word) => word.startsWith('of='))!.slice(3);
    truncateSync(target.startsWith(place) ? target : place + target, 2 ** 20);
    return undefined;
  },
  mkswap: () => undefined,
  swapon: (words, place) => {
    const at = words.indexOf('--priority');
    writeFileSync(place + list, used(at === -1 ? -2 : Number(words[at + 1])));
    return undefined;
  },
  swapoff: (_words, place) => {
    writeFileSync(place + list, headline);
    return undefined;
  },
};
const swapping = (size: number | undefined, swaps: string, fstab: string) => (place: string) => {
  arrange(place, { [table]: fstab, [list]: swaps });
  if (size === undefined) return;
  writeFileSync(place + swapfile, '', { mode: 0o600 });
  truncateSync(place + swapfile, size);
};
const inUse = (place: string, t: Test) => {
  const status = lstatSync(place + swapfile);
  t.match({ size: status.size, mode: status.mode & 0o777 }, { size: 2 ** 20, mode: 0o600 });
  t.match(readFileSync(place + list, 'utf8'), '/swapfile file');
  t.match(readFileSync(place + table, 'utf8'), '/swapfile\tnone\tswap\tsw');
  t.notOk(existsSync(`${place}${swapfile}.vigo-new`));
};
const swap = { path: swapfile, size: '1M' };
const mebibyte = 2 ** 20;

t.test('a swap file is what is declared', (t) =>
  proveExecutor(
    t,
    swapType,
    [
      {
        name: 'from nothing',
        parameters: swap,
        arrange: swapping(undefined, headline, ''),
        action: 'created',
        check: inUse,
      },
      {
        name: 'as declared',
        parameters: swap,
        arrange: swapping(mebibyte, used(), swapLine),
        action: 'none',
      },
      {
        name: 'switched off',
        parameters: swap,
        arrange: swapping(mebibyte, headline, swapLine),
        action: 'updated',
        reason: /it is not in use/,
        check: inUse,
      },
      {
        name: 'another size',
        parameters: swap,
        arrange: swapping(4096, used(), swapLine),
        action: 'updated',
        reason: /has 4096 bytes/,
        check: inUse,
      },
      {
        name: 'another priority',
        parameters: { ...swap, priority: 5 },
        arrange: swapping(mebibyte, used(1), swapLine),
        action: 'updated',
        check: inUse,
      },
      {
        name: 'no line in the table',
        parameters: swap,
        arrange: swapping(mebibyte, used(), other),
        action: 'updated',
        check: inUse,
      },
      {
        name: 'absent',
        parameters: { path: swapfile, state: 'absent' },
        arrange: swapping(mebibyte, used(), swapLine),
        action: 'deleted',
        check: (place, t) => {
          t.notOk(existsSync(place + swapfile));
          t.equal(readFileSync(place + table, 'utf8'), '');
        },
      },
      {
        name: 'absent already',
        parameters: { path: swapfile, state: 'absent' },
        arrange: swapping(undefined, headline, other),
        action: 'none',
      },
      {
        name: 'a device that is not there',
        parameters: { path: '/dev/sdz' },
        arrange: swapping(undefined, headline, ''),
        action: 'failed',
        errorCode: 'AGENT_PATH_MISSING',
      },
      {
        name: 'a directory',
        parameters: { path: '/etc', size: '1M' },
        arrange: (place) => mkdirSync(`${place}/etc`),
        action: 'failed',
        errorCode: 'AGENT_PATH_OCCUPIED',
      },
      ...refusedCases(swap, [
        { size: '1K' },
        { size: 'big' },
        { size: '1048577' },
        { priority: 99999 },
      ]),
    ],
    { platform: simulatedMachine(tools), interrupted: 'first-of-each-action' },
  ),
);

t.test('sizes', async (t) => {
  t.same(['1M', '2GiB', '4096', '1X'].map(sizeBytes), [mebibyte, 2 ** 31, 4096, undefined]);
});
