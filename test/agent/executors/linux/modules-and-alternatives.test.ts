import {
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import t, { type Test } from 'tap';
import {
  alternativesType,
  parseAlternatives,
} from '../../../../agent/executors/linux/alternatives.ts';
import { kernelModuleType } from '../../../../agent/executors/linux/kernel-module.ts';
import {
  type ExecutorCase,
  proveExecutor,
  refusedCases,
} from '../../../support/executor-harness.ts';
import {
  arrange,
  type SimulatedTool,
  simulatedMachine,
} from '../../../support/simulated-machine.ts';

const list = '/proc/modules';
const header = '# Managed by vigo; changes made here are undone.\n';
const load = '/etc/modules-load.d/vigo-br-netfilter.conf';
const options = '/etc/modprobe.d/vigo-br-netfilter.conf';
const loadText = `${header}br-netfilter\n`;
const optionsText = `${header}options br-netfilter a=1\n`;
const loaded = 'br_netfilter 16384 0 - Live 0x0\n';
const having = (files: Record<string, string>) => (root: string) => arrange(root, files);
const modprobe: SimulatedTool = (words, root) => {
  if (words[0] === '-r') {
    if (readFileSync(root + list, 'utf8').includes('busy'))
      return { exitCode: 1, stderr: 'modprobe: FATAL: Module busy is in use.' };
    writeFileSync(root + list, '');
    return undefined;
  }
  if (words.at(-1) === 'ghost')
    return {
      exitCode: 1,
      stderr: 'modprobe: FATAL: Module ghost not found in directory /lib/modules/6',
    };
  writeFileSync(root + list, loaded);
  return undefined;
};
const bridge = { module: 'br-netfilter', params: 'a=1' };
const isLoaded = (root: string, t: Test) => {
  t.equal(readFileSync(root + list, 'utf8'), loaded);
  t.equal(readFileSync(root + load, 'utf8'), loadText);
  t.equal(readFileSync(root + options, 'utf8'), optionsText);
};

const modules: readonly ExecutorCase[] = [
  {
    name: 'from nothing',
    parameters: bridge,
    arrange: having({ [list]: '' }),
    action: 'created',
    check: isLoaded,
  },
  {
    name: 'as declared',
    parameters: bridge,
    arrange: having({ [list]: loaded, [load]: loadText, [options]: optionsText }),
    action: 'none',
  },
  {
    name: 'unloaded',
    parameters: bridge,
    arrange: having({ [list]: '', [load]: loadText, [options]: optionsText }),
    action: 'updated',
    reason: /is not loaded/,
    check: isLoaded,
  },
  {
    name: 'loaded, but not at boot',
    parameters: bridge,
    arrange: having({ [list]: loaded }),
    action: 'updated',
    check: isLoaded,
  },
  {
    name: 'other parameters',
    parameters: bridge,
    arrange: having({ [list]: loaded, [load]: loadText, [options]: 'x' }),
    action: 'updated',
    check: isLoaded,
  },
  {
    name: 'built in',
    parameters: { module: 'x', persist: false },
    arrange: having({ [list]: '', '/sys/module/x/p': '' }),
    action: 'none',
    reason: /built-in/,
  },
  {
    name: 'built in, without parameters',
    parameters: { module: 'snd-x', persist: false },
    arrange: having({
      [list]: '',
      '/proc/sys/kernel/osrelease': '6.1.0\n',
      '/lib/modules/6.1.0/modules.builtin': 'kernel/fs/ext4/ext4.ko\nkernel/sound/snd-x.ko\n',
    }),
    action: 'none',
    reason: /built-in/,
  },
  {
    name: 'absent',
    parameters: { module: 'br-netfilter', state: 'absent' },
    arrange: having({ [list]: loaded, [load]: loadText, [options]: optionsText }),
    action: 'deleted',
    check: (root, t) =>
      t.same(
        [readFileSync(root + list, 'utf8'), existsSync(root + load), existsSync(root + options)],
        ['', false, false],
      ),
  },
  {
    name: 'absent already',
    parameters: { module: 'br-netfilter', state: 'absent' },
    arrange: having({ [list]: '' }),
    action: 'none',
  },
  {
    name: 'built in and declared absent',
    parameters: { module: 'x', state: 'absent' },
    arrange: having({ [list]: '', '/sys/module/x/p': '' }),
    action: 'failed',
    errorCode: 'AGENT_MODULE_BUILT_IN',
  },
  ...refusedCases(bridge, [
    { module: 'a b' },
    { module: '-r' },
    { module: '../x' },
    { params: 'a=1\ninstall x /bin/sh' },
  ]),
];

t.test('a module is what is declared', (t) =>
  proveExecutor(t, kernelModuleType, modules, {
    platform: simulatedMachine({ modprobe }),
    interrupted: 'first-of-each-action',
  }),
);

t.test('trouble with a module is told apart', async (t) => {
  const root = t.testdir({});
  const applied = async (parameters: Record<string, string>, files: Record<string, string>) => {
    arrange(root, files);
    const context = {
      platform: simulatedMachine({ modprobe })(root),
      signal: new AbortController().signal,
      triggered: false,
      snapshot: async () => {},
    };
    const spec = kernelModuleType.parse(parameters);
    const state = await kernelModuleType.observe(spec, context);
    return kernelModuleType.apply(spec, state, { action: 'updated', reason: '' }, context);
  };
  await t.rejects(applied({ module: 'busy', state: 'absent' }, { [list]: 'busy 1 1 - Live\n' }), {
    code: 'AGENT_MODULE_IN_USE',
    outcome: 'blocked',
  });
  await t.rejects(applied({ module: 'ghost', params: 'a=1' }, { [list]: '' }), {
    code: 'AGENT_MODULE_UNKNOWN',
    outcome: 'failed',
  });
  for (const place of ['/etc/modules-load.d/vigo-ghost.conf', '/etc/modprobe.d/vigo-ghost.conf'])
    t.notOk(existsSync(root + place), `${place} would be trouble at every boot`);
});

const record = '/var/lib/dpkg/alternatives/editor';
const link = '/etc/alternatives/editor';
const group = (choices: readonly (readonly [string, number])[]) =>
  `auto\n/usr/bin/editor\neditor.1.gz\n/usr/share/man/man1/editor.1.gz\n\n${choices.map(([path, priority]) => `${path}\n${priority}\n${path}.1.gz\n`).join('')}\n`;
const registered =
  (choices: readonly (readonly [string, number])[], current?: string) => (root: string) => {
    arrange(root, { [record]: group(choices), '/etc/alternatives/x': '' });
    if (current !== undefined) symlinkSync(current, root + link);
  };
/** Keeps the record and the link as update-alternatives does. */
const tool: SimulatedTool = (given, root) => {
  const words = given.filter((word) => word !== '--quiet');
  const text = existsSync(root + record) ? readFileSync(root + record, 'utf8') : group([]);
  const choices = new Map(parseAlternatives(text).choices);
  if (words[0] === '--install') choices.set(words[3]!, Number(words[4]));
  if (words[0] === '--remove') choices.delete(words[2]!);
  if (words[0] === '--remove-all') choices.clear();
  arrange(root, { [record]: group([...choices]) });
  if (choices.size === 0) rmSync(root + record);
  mkdirSync(`${root}/etc/alternatives`, { recursive: true });
  if (words[0] === '--set') {
    rmSync(root + link, { force: true });
    symlinkSync(words[2]!, root + link);
  }
  return undefined;
};
const vim = { name: 'editor', path: '/usr/bin/vim' };
const isVim = (root: string, t: Test) => t.equal(readlinkSync(root + link), '/usr/bin/vim');
const both = [
  ['/bin/nano', 40],
  ['/usr/bin/vim', 30],
] as const;

const choices: readonly ExecutorCase[] = [
  {
    name: 'another one',
    parameters: vim,
    arrange: registered(both, '/bin/nano'),
    action: 'updated',
    reason: /editor is \/bin\/nano, not/,
    check: isVim,
  },
  {
    name: 'as declared',
    parameters: vim,
    arrange: registered(both, '/usr/bin/vim'),
    action: 'none',
  },
  { name: 'no link', parameters: vim, arrange: registered(both), action: 'updated', check: isVim },
  {
    name: 'not registered',
    parameters: { ...vim, priority: 50 },
    arrange: registered([['/bin/nano', 40]], '/bin/nano'),
    action: 'created',
    check: isVim,
  },
  {
    name: 'another priority',
    parameters: { ...vim, priority: 50 },
    arrange: registered(both, '/usr/bin/vim'),
    action: 'updated',
    reason: /priority 30, not 50/,
    check: (root, t) =>
      t.equal(
        parseAlternatives(readFileSync(root + record, 'utf8')).choices.get('/usr/bin/vim'),
        50,
      ),
  },
  {
    name: 'a group of its own',
    parameters: { ...vim, link: '/usr/bin/editor' },
    action: 'created',
    check: isVim,
  },
  {
    name: 'no group, and no link given',
    parameters: vim,
    action: 'failed',
    errorCode: 'AGENT_ALTERNATIVE_UNKNOWN',
  },
  {
    name: 'one choice absent',
    parameters: { ...vim, state: 'absent' },
    arrange: registered(both),
    action: 'deleted',
    check: (root, t) =>
      t.same(
        [...parseAlternatives(readFileSync(root + record, 'utf8')).choices],
        [['/bin/nano', 40]],
      ),
  },
  {
    name: 'the group absent',
    parameters: { name: 'editor', state: 'absent' },
    arrange: registered(both),
    action: 'deleted',
    check: (root, t) => t.notOk(existsSync(root + record)),
  },
  { name: 'absent already', parameters: { name: 'editor', state: 'absent' }, action: 'none' },
  ...refusedCases(vim, [
    { path: '' },
    { path: 'vim' },
    { name: '../x' },
    { name: '--all' },
    { priority: 'high' },
  ]),
];

t.test('an alternative is what is declared', (t) =>
  proveExecutor(t, alternativesType, choices, {
    platform: simulatedMachine({ 'update-alternatives': tool }),
    interrupted: 'first-of-each-action',
  }),
);
