import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import t, { type Test } from 'tap';
import { createEngine } from '../../../../agent/converge/engine.ts';
import { fileType } from '../../../../agent/executors/cross/file.ts';
import { typeRegistry } from '../../../../agent/executors/registry.ts';
import { createNodePlatform } from '../../../../agent/platform/node-platform.ts';
import { type ExecutorCase, proveExecutor } from '../../../support/executor-harness.ts';
import { resourceBundle } from '../../../support/resource-bundle.ts';

const motd = { target_path: '/etc/motd', content: 'hello\n', mode: '0644' };
const etc = (root: string) => mkdirSync(`${root}/etc`);
const put =
  (content: string, mode = 0o644) =>
  (root: string) => {
    etc(root);
    writeFileSync(`${root}/etc/motd`, content);
    chmodSync(`${root}/etc/motd`, mode);
  };
const holds =
  (content: string, mode = 0o644) =>
  (root: string, t: Test) => {
    const status = lstatSync(`${root}/etc/motd`);
    t.ok(status.isFile());
    t.equal(readFileSync(`${root}/etc/motd`, 'utf8'), content);
    t.equal(status.mode & 0o7777, mode);
  };
const gone = (root: string, t: Test) => t.notOk(existsSync(`${root}/etc/motd`));

const cases: ExecutorCase[] = [
  {
    name: 'from nothing, parents too',
    parameters: motd,
    action: 'created',
    check: holds('hello\n'),
  },
  { name: 'as declared', parameters: motd, arrange: put('hello\n'), action: 'none' },
  {
    name: 'edited by hand',
    parameters: motd,
    arrange: put('HELLO\n'),
    action: 'updated',
    reason: /content differs/,
    check: holds('hello\n'),
  },
  {
    name: 'other length',
    parameters: motd,
    arrange: put('hello, who are you?\n'),
    action: 'updated',
    check: holds('hello\n'),
  },
  {
    name: 'mode changed by hand',
    parameters: { ...motd, mode: '4750' },
    arrange: put('hello\n', 0o777),
    action: 'updated',
    reason: /mode 0777 -> 4750/,
    check: holds('hello\n', 0o4750),
  },
  {
    name: 'mode and content at once',
    parameters: { ...motd, mode: '0600' },
    arrange: put('x', 0o777),
    action: 'updated',
    check: holds('hello\n', 0o600),
  },
  {
    name: 'content not declared leaves it',
    parameters: { target_path: '/etc/motd', mode: '0640' },
    arrange: put('mine\n'),
    action: 'updated',
    check: holds('mine\n', 0o640),
  },
  {
    name: 'content not declared makes an empty file',
    parameters: { target_path: '/etc/motd' },
    action: 'created',
    check: holds(''),
  },
  {
    name: 'a link in its place is replaced, not followed',
    parameters: motd,
    arrange: (root) => {
      etc(root);
      writeFileSync(`${root}/etc/other`, 'other');
      symlinkSync('other', `${root}/etc/motd`);
    },
    action: 'updated',
    check: (root, t) => {
      holds('hello\n')(root, t);
      t.equal(readFileSync(`${root}/etc/other`, 'utf8'), 'other');
    },
  },
  {
    name: 'an empty directory in its place is replaced',
    parameters: motd,
    arrange: (root) => mkdirSync(`${root}/etc/motd`, { recursive: true }),
    action: 'updated',
    check: holds('hello\n'),
  },
  {
    name: 'a directory that holds something is not',
    parameters: motd,
    arrange: (root) => mkdirSync(`${root}/etc/motd/x`, { recursive: true }),
    action: 'failed',
    errorCode: 'AGENT_PATH_OCCUPIED',
    check: (root, t) => t.ok(statSync(`${root}/etc/motd/x`).isDirectory()),
  },
  {
    name: 'absent and there',
    parameters: { ...motd, state: 'absent' },
    arrange: put('hello\n'),
    action: 'deleted',
    check: gone,
  },
  { name: 'absent and not there', parameters: { ...motd, state: 'absent' }, action: 'none' },
  {
    name: 'absent does not remove a directory',
    parameters: { ...motd, state: 'absent' },
    arrange: (root) => mkdirSync(`${root}/etc/motd`, { recursive: true }),
    action: 'failed',
    errorCode: 'AGENT_PATH_OCCUPIED',
  },
  {
    name: 'template of the bundle',
    parameters: { target_path: '/etc/motd', source: 'templates/motd.tmpl' },
    templates: { 'templates/motd.tmpl': 'a {{ len "four" }}\n' },
    action: 'created',
    check: holds('a 4\n'),
  },
  {
    name: 'file of the node',
    parameters: { target_path: '/etc/motd', source: '/etc/source' },
    arrange: (root) => {
      etc(root);
      writeFileSync(`${root}/etc/source`, 'copied');
    },
    action: 'created',
    check: holds('copied'),
  },
  {
    name: 'source that is neither',
    parameters: { target_path: '/etc/motd', source: 'templates/missing.tmpl' },
    action: 'failed',
    errorCode: 'POLICY_PARAMETER_INVALID',
  },
  {
    name: 'baseindent indents all but empty lines',
    parameters: { ...motd, content: 'a\n\nb\n', baseindent: '2' },
    action: 'created',
    check: holds('  a\n\n  b\n'),
  },
  {
    name: 'backup beside the file',
    parameters: { ...motd, backup: '.old' },
    arrange: put('before\n'),
    action: 'updated',
    check: holds('hello\n'),
  },
  {
    name: 'owner by name of the root, who is the agent itself',
    parameters: { ...motd, owner: 'me', group: 'us' },
    arrange: (root) => {
      etc(root);
      const [uid, gid] = [process.geteuid?.(), process.getegid?.()];
      writeFileSync(`${root}/etc/passwd`, `me:x:${uid}:${gid}::/:/bin/sh\n`);
      writeFileSync(`${root}/etc/group`, `us:x:${gid}:\n`);
    },
    action: 'created',
    check: holds('hello\n'),
  },
  {
    name: 'owner that nobody knows',
    parameters: { ...motd, owner: 'nobody-knows' },
    action: 'failed',
    errorCode: 'AGENT_USER_UNKNOWN',
  },
  {
    name: 'relative path',
    parameters: { ...motd, target_path: 'etc/motd' },
    action: 'failed',
    errorCode: 'POLICY_PARAMETER_INVALID',
  },
  {
    name: 'content and source',
    parameters: { ...motd, source: '/x' },
    action: 'failed',
    errorCode: 'POLICY_PARAMETER_INVALID',
    reason: /source/,
  },
  {
    name: 'mode that is none',
    parameters: { ...motd, mode: '0999' },
    action: 'failed',
    errorCode: 'POLICY_PARAMETER_INVALID',
    reason: /mode/,
  },
  {
    name: 'commands are not run in a confined root',
    parameters: { ...motd, validate: 'true %' },
    action: 'blocked',
    errorCode: 'AGENT_TYPE_NOT_CONFINABLE',
  },
  {
    name: 'secret that the agent does not hold is not written as a marker',
    parameters: { ...motd, content: 'password=secret:db/password\n' },
    action: 'blocked',
    errorCode: 'AGENT_SECRETS_UNAVAILABLE',
    check: gone,
  },
  {
    name: 'the agent itself',
    parameters: { ...motd, target_path: '/usr/local/bin/../sbin/vigo' },
    action: 'failed',
    errorCode: 'AGENT_GUARDRAIL',
  },
  {
    name: 'the agent itself through a link',
    parameters: { ...motd, target_path: '/innocent/config' },
    arrange: (root) => {
      mkdirSync(`${root}/etc/vigo-envoy`, { recursive: true });
      symlinkSync('/etc/vigo-envoy', `${root}/innocent`);
    },
    action: 'failed',
    errorCode: 'AGENT_GUARDRAIL',
    check: (root, t) => t.same(readdirSync(`${root}/etc/vigo-envoy`), []),
  },
];

t.test('file in a confined root', (t) => proveExecutor(t, fileType, cases));

/** On the whole machine, so that commands may run; every path is beneath a directory of the test. */
t.test('file with commands', async (t) => {
  const place = t.testdir({
    'to upper': '#!/bin/sh\nexec tr a-z A-Z\n',
    fails: '#!/bin/sh\nexit 3\n',
  });
  for (const name of ['to upper', 'fails']) chmodSync(`${place}/${name}`, 0o755);
  const path = `${place}/it's "here"/motd`;
  const parameters = { target_path: path, content: 'new\n' };
  const arrange = () => {
    rmSync(dirname(path), { recursive: true, force: true });
    mkdirSync(dirname(path));
    writeFileSync(path, 'old\n');
  };
  const content = (expected: string) => (_: string, t: Test) => {
    t.equal(readFileSync(path, 'utf8'), expected);
    t.same(readdirSync(dirname(path)), ['motd'], 'no other file is left');
  };
  const rows: ExecutorCase[] = [
    {
      name: 'validate sees the new content and allows it',
      parameters: { ...parameters, validate: 'grep -q new %' },
      action: 'updated',
      check: content('new\n'),
    },
    {
      name: 'the edit is applied before the comparison',
      parameters: { ...parameters, stream_edit: `${place}/to upper` },
      action: 'updated',
      check: content('NEW\n'),
    },
    {
      name: 'an edit that fails leaves the file',
      parameters: { ...parameters, stream_edit: [`${place}/fails`] },
      action: 'failed',
      errorCode: 'AGENT_COMMAND_FAILED',
      check: content('old\n'),
    },
    {
      name: 'an edit that is not installed',
      parameters: { ...parameters, stream_edit: [`${place}/missing`] },
      action: 'blocked',
      errorCode: 'AGENT_COMMAND_MISSING',
    },
  ];
  const platform = () => createNodePlatform();
  await proveExecutor(
    t,
    fileType,
    rows.map((row) => ({ ...row, arrange })),
    { platform },
  );
});

t.test('validate keeps the old file when it refuses the new one', async (t) => {
  const place = t.testdir({ motd: 'old\n' });
  const engine = createEngine({
    platform: createNodePlatform(),
    registry: typeRegistry([fileType]),
  });
  const parameters = {
    target_path: `${place}/motd`,
    content: 'new\n',
    validate: 'echo no; false %',
  };
  const document = resourceBundle({ type: 'file', parameters });
  const [outcome] = (await engine.pass({ document, traits: {} })).resources;
  t.match(outcome, {
    action: 'failed',
    errorCode: 'AGENT_VALIDATION_FAILED',
    reason: /exit 1: no/,
  });
  t.equal(readFileSync(`${place}/motd`, 'utf8'), 'old\n');
  t.same(readdirSync(place), ['motd']);
});

t.test('what not everybody may read is not shown in a report', async (t) => {
  const root = t.testdir({ key: 'old secret\n' });
  chmodSync(`${root}/key`, 0o600);
  const engine = createEngine({
    platform: createNodePlatform({ root }),
    registry: typeRegistry([fileType]),
  });
  for (const mode of ['0600', '0644']) {
    const parameters = { target_path: '/key', content: 'new secret\n', mode };
    const document = resourceBundle({ type: 'file', parameters });
    const [outcome] = (await engine.pass({ document, traits: {}, dryRun: true })).resources;
    t.equal(outcome?.action, 'updated');
    t.notMatch(JSON.stringify(outcome), /secret/);
  }
});
