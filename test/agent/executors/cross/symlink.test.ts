import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import t, { type Test } from 'tap';
import { symlinkType } from '../../../../agent/executors/cross/symlink.ts';
import { type ExecutorCase, proveExecutor } from '../../../support/executor-harness.ts';

const current = { target_path: '/opt/app/current', to: 'releases/2' };
const points = (to: string) => (root: string, t: Test) =>
  t.equal(readlinkSync(`${root}/opt/app/current`), to);
const app = (root: string) => mkdirSync(`${root}/opt/app/releases/2`, { recursive: true });
const withFile = (root: string) => {
  app(root);
  writeFileSync(`${root}/opt/app/current`, 'a file');
};
const hard = { target_path: '/copy', to: '/original', link_type: 'hard' };
const original = (root: string) => writeFileSync(`${root}/original`, 'text');
const isHardLink = (root: string, t: Test) =>
  t.equal(statSync(`${root}/copy`).ino, statSync(`${root}/original`).ino);

const cases: ExecutorCase[] = [
  { name: 'from nothing', parameters: current, action: 'created', check: points('releases/2') },
  {
    name: 'may point to nothing, even out of the root: it is text',
    parameters: { ...current, to: '/../../no/where' },
    action: 'created',
    check: points('/../../no/where'),
  },
  {
    name: 'as declared',
    parameters: current,
    arrange: (root) => {
      app(root);
      symlinkSync('releases/2', `${root}/opt/app/current`);
    },
    action: 'none',
  },
  {
    name: 'points elsewhere',
    parameters: current,
    arrange: (root) => {
      app(root);
      symlinkSync('releases/1', `${root}/opt/app/current`);
    },
    action: 'updated',
    reason: /points to releases\/1/,
    check: points('releases/2'),
  },
  {
    name: 'a file is in the way',
    parameters: current,
    arrange: withFile,
    action: 'failed',
    errorCode: 'AGENT_PATH_OCCUPIED',
    check: (root, t) => t.equal(readFileSync(`${root}/opt/app/current`, 'utf8'), 'a file'),
  },
  {
    name: 'a file is in the way, with force',
    parameters: { ...current, force: 'true' },
    arrange: withFile,
    action: 'updated',
    check: points('releases/2'),
  },
  {
    name: 'a full directory is in the way, even with force',
    parameters: { ...current, force: 'true' },
    arrange: (root) => mkdirSync(`${root}/opt/app/current/x`, { recursive: true }),
    action: 'failed',
    errorCode: 'AGENT_PATH_OCCUPIED',
  },
  {
    name: 'an empty directory is in the way, with force',
    parameters: { ...current, force: 'true' },
    arrange: (root) => mkdirSync(`${root}/opt/app/current`, { recursive: true }),
    action: 'updated',
    check: points('releases/2'),
  },
  {
    name: 'absent',
    parameters: { ...current, state: 'absent' },
    arrange: (root) => {
      app(root);
      symlinkSync('releases/2', `${root}/opt/app/current`);
    },
    action: 'deleted',
    check: (root, t) => {
      t.notOk(lstatSync(`${root}/opt/app/current`, { throwIfNoEntry: false }));
      t.ok(existsSync(`${root}/opt/app/releases/2`));
    },
  },
  {
    name: 'absent does not remove a file that is no link',
    parameters: { ...current, state: 'absent' },
    arrange: withFile,
    action: 'failed',
    errorCode: 'AGENT_PATH_OCCUPIED',
  },
  { name: 'hard', parameters: hard, arrange: original, action: 'created', check: isHardLink },
  {
    name: 'hard, and another file is there',
    parameters: { ...hard, force: true },
    arrange: (root) => {
      original(root);
      writeFileSync(`${root}/copy`, 'text');
    },
    action: 'updated',
    check: isHardLink,
  },
  {
    name: 'hard, to nothing',
    parameters: hard,
    action: 'failed',
    errorCode: 'AGENT_PATH_MISSING',
  },
  {
    name: 'hard, to the key of the agent',
    parameters: { ...hard, to: '/etc/vigo-envoy/key' },
    action: 'failed',
    errorCode: 'AGENT_GUARDRAIL',
  },
  {
    name: 'without a target',
    parameters: { target_path: '/opt/app/current' },
    action: 'failed',
    errorCode: 'POLICY_PARAMETER_INVALID',
    reason: /to: is required/,
  },
];

t.test('symlink', (t) => proveExecutor(t, symlinkType, cases));
