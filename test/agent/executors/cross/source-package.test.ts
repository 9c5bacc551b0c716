import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { AgentError } from '../../../../agent/errors.ts';
import { createSourcePackageType } from '../../../../agent/executors/cross/source-package.ts';
import { sha256Hex } from '../../../../agent/platform/archive/archive.ts';
import { makeTar } from '../../../support/archives.ts';
import {
  type ExecutorCase,
  proveExecutor,
  refusedCases,
} from '../../../support/executor-harness.ts';
import { arrange, simulatedMachine } from '../../../support/simulated-machine.ts';

const archive = gzipSync(
  makeTar([
    { name: 'tool-2/', type: '5', mode: 0o755 },
    { name: 'tool-2/bin/tool', content: 'two', mode: 0o755 },
    { name: 'tool-2/doc', type: '2', link: 'bin' },
  ]),
);
const digest = sha256Hex(archive);
const toolDigest = sha256Hex(new TextEncoder().encode('two'));
const evil = gzipSync(makeTar([{ name: '../../etc/cron.d/evil', content: 'x' }]));

const downloads: string[] = [];
const type = createSourcePackageType(async (url) => {
  downloads.push(url);
  if (url.includes('down')) throw new AgentError('AGENT_DOWNLOAD_FAILED', { detail: url });
  if (url.includes('garbage')) return new TextEncoder().encode('<html>'.repeat(200));
  return url.includes('evil') ? evil : archive;
});

const url = 'https://r.example/tool-2.tar.gz';
const path = '/usr/local/bin/tool';
const one = { url, target_path: path, binary_path: 'tool-2/bin/tool', version: '2' };
const tree = { url, target_path: '/opt/tool', version: '2' };
const having =
  (files: Record<string, string> = {}) =>
  (root: string) =>
    arrange(root, { '/etc/passwd': 'root:x:0:0::/root:/bin/sh\n', ...files });
const nothingElse = (root: string, t: Test, directory: string) =>
  t.same(
    readdirSync(root + directory).filter((name) => name.startsWith('.vigo-unpack')),
    [],
    'nothing is left beside it',
  );
const toolIsTwo = (root: string, t: Test) => {
  t.equal(readFileSync(root + path, 'utf8'), 'two');
  t.equal(statSync(root + path).mode & 0o777, 0o755);
  t.match(readFileSync(`${root}${path}.vigo-version`, 'utf8'), /^2\n/);
  nothingElse(root, t, '/usr/local/bin');
};
const treeIsTwo = (root: string, t: Test) => {
  t.same(readdirSync(`${root}/opt/tool`).sort(), ['.vigo-version', 'tool-2']);
  t.equal(readFileSync(`${root}/opt/tool/tool-2/doc/tool`, 'utf8'), 'two');
  nothingElse(root, t, '/opt');
};
const untouched = (root: string, t: Test) => {
  t.notOk(existsSync(root + path));
  t.notOk(existsSync(`${root}/etc/cron.d/evil`));
};
const oldTree = { '/opt/tool/.vigo-version': `1\n${'0'.repeat(64)}\n`, '/opt/tool/gone': 'x' };

const cases: readonly ExecutorCase[] = [
  {
    name: 'one program, from nothing',
    parameters: one,
    arrange: having(),
    action: 'created',
    check: toolIsTwo,
  },
  {
    name: 'as declared by its version',
    parameters: one,
    arrange: (root) => {
      having({ [path]: 'whatever', [`${path}.vigo-version`]: '2\nx\n' })(root);
      statSync(root + path);
    },
    action: 'updated',
    reason: /^mode 0644 -> 0755$/,
  },
  {
    name: 'another version',
    parameters: one,
    arrange: having({ [path]: 'one', [`${path}.vigo-version`]: '1\nx\n' }),
    action: 'updated',
    reason: /its version is 1, not 2/,
    check: toolIsTwo,
  },
  {
    name: 'changed by a person',
    parameters: { ...one, sha256: toolDigest },
    arrange: having({ [path]: 'patched', [`${path}.vigo-version`]: '2\nx\n' }),
    action: 'updated',
    reason: /its SHA-256 is/,
    check: toolIsTwo,
  },
  {
    name: 'the whole archive, from nothing',
    parameters: { ...tree, sha256: digest.toUpperCase() },
    arrange: having(),
    action: 'created',
    check: treeIsTwo,
  },
  {
    name: 'the whole archive, another version',
    parameters: tree,
    arrange: having(oldTree),
    action: 'updated',
    reason: /its version is 1, not 2/,
    check: treeIsTwo,
  },
  {
    name: 'absent, but a program is there',
    parameters: { target_path: path, state: 'absent' },
    arrange: having({ [path]: 'one', [`${path}.vigo-version`]: '1\nx\n' }),
    action: 'deleted',
    check: (root, t) => t.same(readdirSync(`${root}/usr/local/bin`), []),
  },
  {
    name: 'absent, but a tree is there',
    parameters: { target_path: '/opt/tool', state: 'absent' },
    arrange: having(oldTree),
    action: 'deleted',
    check: (root, t) => t.same(readdirSync(`${root}/opt`), []),
  },
  {
    name: 'absent',
    parameters: { target_path: path, state: 'absent' },
    arrange: having(),
    action: 'none',
  },
  {
    name: 'a directory of somebody else',
    parameters: { ...tree, target_path: '/opt' },
    arrange: having({ '/opt/other': 'x' }),
    action: 'failed',
    errorCode: 'AGENT_PATH_OCCUPIED',
    check: (root, t) => t.ok(existsSync(`${root}/opt/other`)),
  },
];

t.test('what is downloaded is what is declared', (t) =>
  proveExecutor(t, type, cases, {
    platform: simulatedMachine({}),
    interrupted: 'first-of-each-action',
  }),
);

t.test('the tree survives an interruption too', (t) =>
  proveExecutor(t, type, [cases[5]!], { platform: simulatedMachine({}) }),
);

t.test('nothing is written of what was refused', async (t) => {
  const refused = [
    [{ ...one, url: 'https://down.example/x' }, 'AGENT_DOWNLOAD_FAILED', 'blocked'],
    [{ ...one, url: 'https://garbage.example/x' }, 'AGENT_ARCHIVE_INVALID', 'failed'],
    [{ ...tree, url: 'https://evil.example/x' }, 'AGENT_ARCHIVE_UNSAFE', 'failed'],
    [{ ...one, binary_path: 'tool-2/other' }, 'AGENT_ARCHIVE_INVALID', 'failed'],
    [{ ...one, sha256: digest }, 'AGENT_CHECKSUM_MISMATCH', 'failed'],
    [{ ...tree, sha256: toolDigest }, 'AGENT_CHECKSUM_MISMATCH', 'failed'],
  ] as const;
  for (const [parameters, code, outcome] of refused) {
    const root = t.testdir();
    mkdirSync(`${root}/opt`);
    const platform = simulatedMachine({})(root);
    const context = {
      platform,
      triggered: false,
      signal: new AbortController().signal,
      snapshot: async () => {},
    };
    const spec = type.parse(parameters);
    const state = await type.observe(spec, context);
    const drift = { action: 'created', reason: '' } as const;
    await t.rejects(type.apply(spec, state, drift, context), { code, outcome }, code);
    untouched(root, t);
    t.notOk(existsSync(`${root}/opt/tool`));
  }
});

t.test('what is right already is not downloaded again', async (t) => {
  downloads.length = 0;
  const right = (root: string) => {
    having({ [path]: 'two', [`${path}.vigo-version`]: '2\nx\n' })(root);
  };
  const parameters = { ...one, mode: '0644', sha256: toolDigest };
  const row: ExecutorCase = { name: 'right', parameters, arrange: right, action: 'none' };
  await proveExecutor(t, type, [row], { platform: simulatedMachine({}) });
  t.same(downloads, []);
});

t.test('bad parameters', (t) =>
  proveExecutor(
    t,
    type,
    refusedCases(one, [
      { url: '' },
      { url: 'ftp://x/y' },
      { target_path: 'bin/tool' },
      { target_path: '/' },
      { binary_path: '../x' },
      { binary_path: '/x' },
      { sha256: 'abc' },
      { version: 'a b' },
      { mode: '9' },
      { colour: 'red' },
    ]),
    { platform: simulatedMachine({}) },
  ),
);
