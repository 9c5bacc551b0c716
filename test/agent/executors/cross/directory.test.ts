import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import t, { type Test } from 'tap';
import { directoryType } from '../../../../agent/executors/cross/directory.ts';
import { type ExecutorCase, proveExecutor } from '../../../support/executor-harness.ts';

const site = { target_path: '/srv/site', mode: '0750' };
const isDirectory = (mode: number) => (root: string, t: Test) => {
  const status = lstatSync(`${root}/srv/site`);
  t.ok(status.isDirectory());
  t.equal(status.mode & 0o7777, mode);
};
const tree = (root: string) => {
  mkdirSync(`${root}/srv/site/deep/er`, { recursive: true });
  writeFileSync(`${root}/srv/site/deep/page`, 'page');
  writeFileSync(`${root}/outside`, 'outside');
  chmodSync(`${root}/outside`, 0o600);
  symlinkSync('/outside', `${root}/srv/site/link`);
  chmodSync(`${root}/srv/site`, 0o750);
};
const linked = (root: string) => {
  mkdirSync(`${root}/srv`);
  mkdirSync(`${root}/data`, { mode: 0o755 });
  writeFileSync(`${root}/data/kept`, '');
  symlinkSync('/data', `${root}/srv/site`);
};

const cases: ExecutorCase[] = [
  {
    name: 'from nothing, parents too',
    parameters: site,
    action: 'created',
    check: isDirectory(0o750),
  },
  { name: 'as declared', parameters: site, arrange: tree, action: 'none' },
  {
    name: 'mode changed by hand',
    parameters: { ...site, mode: '2755' },
    arrange: tree,
    action: 'updated',
    reason: /mode 0750 -> 2755/,
    check: isDirectory(0o2755),
  },
  {
    name: 'recurse sets the mode of everything below and follows no link',
    parameters: { ...site, mode: '0700', recurse: 'true' },
    arrange: tree,
    action: 'updated',
    check: (root, t) => {
      for (const path of ['', '/deep', '/deep/er', '/deep/page'])
        t.equal(lstatSync(`${root}/srv/site${path}`).mode & 0o7777, 0o700, path);
      t.equal(lstatSync(`${root}/outside`).mode & 0o7777, 0o600, 'what a link names is untouched');
    },
  },
  {
    name: 'recurse without a mode leaves the modes below',
    parameters: { target_path: '/srv/site', recurse: true },
    arrange: tree,
    action: 'updated',
    check: (root, t) => t.not(lstatSync(`${root}/srv/site/deep/page`).mode & 0o111, 0o111),
  },
  {
    name: 'a file in its place is replaced',
    parameters: site,
    arrange: (root) => {
      mkdirSync(`${root}/srv`);
      writeFileSync(`${root}/srv/site`, 'a file');
    },
    action: 'updated',
    check: isDirectory(0o750),
  },
  {
    name: 'a link to a directory of the root counts as one',
    parameters: { ...site, mode: '0755' },
    arrange: linked,
    action: 'none',
    check: (root, t) => t.ok(lstatSync(`${root}/srv/site`).isSymbolicLink()),
  },
  {
    name: 'a link out of the root is refused',
    parameters: site,
    arrange: (root) => {
      mkdirSync(`${root}/srv`);
      symlinkSync('../../../..', `${root}/srv/site`);
    },
    action: 'failed',
    errorCode: 'AGENT_PATH_ESCAPES_ROOT',
  },
  {
    name: 'absent removes the tree and follows no link',
    parameters: { ...site, state: 'absent' },
    arrange: tree,
    action: 'deleted',
    check: (root, t) => {
      t.notOk(existsSync(`${root}/srv/site`));
      t.equal(readFileSync(`${root}/outside`, 'utf8'), 'outside');
    },
  },
  {
    name: 'absent removes a link, not what it names',
    parameters: { ...site, state: 'absent' },
    arrange: linked,
    action: 'deleted',
    check: (root, t) => {
      t.notOk(existsSync(`${root}/srv/site`));
      t.ok(existsSync(`${root}/data/kept`));
    },
  },
  { name: 'absent and not there', parameters: { ...site, state: 'absent' }, action: 'none' },
  {
    name: 'the root is never removed',
    parameters: { target_path: '/', state: 'absent' },
    action: 'failed',
  },
  {
    name: 'a tree that holds the agent is never removed',
    parameters: { target_path: '/usr/local', state: 'absent' },
    arrange: (root) => mkdirSync(`${root}/usr/local`, { recursive: true }),
    action: 'failed',
    errorCode: 'AGENT_GUARDRAIL',
    check: (root, t) => t.ok(existsSync(`${root}/usr/local`)),
  },
  {
    name: 'bad parameters are named together',
    parameters: { mode: 'rwx', state: 'gone', colour: 'red' },
    action: 'failed',
    errorCode: 'POLICY_PARAMETER_INVALID',
    reason: /colour.*target_path.*/,
  },
];

t.test('directory', (t) => proveExecutor(t, directoryType, cases));
