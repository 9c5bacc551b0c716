import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { gitType } from '../../../../agent/executors/cross/git.ts';
import { parseRemote, withoutPassword } from '../../../../agent/executors/cross/git-remote.ts';
import { createNodePlatform } from '../../../../agent/platform/node-platform.ts';
import {
  type ExecutorCase,
  proveExecutor,
  refusedCases,
} from '../../../support/executor-harness.ts';
import { requires } from '../../../support/requires.ts';
import { caseOf, recordCoverage } from '../../../support/type-coverage.ts';

const skip = requires('command:git');
const environment = {
  ...process.env,
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@b',
  GIT_COMMITTER_NAME: 'a',
  GIT_COMMITTER_EMAIL: 'a@b',
};
const git = (cwd: string, ...words: string[]) =>
  execFileSync('git', words, { cwd, env: environment, stdio: ['ignore', 'pipe', 'ignore'] });

t.test('a working copy of a real repository', { skip }, async (t) => {
  const place = t.testdir({ source: { file: 'one\n' } });
  const source = `${place}/source`;
  const copy = `${place}/copy`;
  git(source, 'init', '-q', '-b', 'main');
  git(source, 'add', 'file');
  git(source, 'commit', '-qm', 'one');
  git(source, 'tag', 'v1');
  const context = () => ({
    platform: createNodePlatform(),
    signal: new AbortController().signal,
    triggered: false,
    snapshot: async () => {},
  });
  const base = { path: copy, repo: source };
  const pass = async (parameters: Record<string, string | number | boolean>) => {
    const spec = gitType.parse({ ...base, ...parameters });
    const now = context();
    const state = await gitType.observe(spec, now);
    const drift = gitType.compare(spec, state, now);
    recordCoverage({
      type: 'git',
      backend: '',
      case: caseOf({ action: drift.action, errorCode: '' }),
      kind: 'real',
    });
    if (drift.action === 'none' || drift.action === 'skipped') return drift;
    await gitType.apply(spec, state, { ...drift, action: drift.action }, now);
    const after = gitType.compare(spec, await gitType.observe(spec, now), now);
    t.equal(after.action, 'none', `verified: ${after.reason}`);
    return drift;
  };
  const holds = (text: string) => t.equal(readFileSync(`${copy}/file`, 'utf8'), text);
  const commit = (text: string) => {
    writeFileSync(`${source}/file`, text);
    git(source, 'commit', '-qam', text);
  };

  t.match(await pass({}), { action: 'created', reason: /no working copy yet/ });
  holds('one\n');
  t.match(await pass({}), { action: 'none' });
  commit('two\n');
  t.match(await pass({}), { action: 'updated', diff: /^main: [0-9a-f]{40} -> / });
  holds('two\n');
  t.match(await pass({ branch: 'v1' }), { action: 'updated' }, 'a tag');
  holds('one\n');
  t.match(await pass({ branch: 'main' }), { action: 'updated', reason: /on no branch, not main/ });
  holds('two\n');

  writeFileSync(`${copy}/.git/hooks/post-merge`, `#!/bin/sh\ntouch ${place}/hooked\n`);
  chmodSync(`${copy}/.git/hooks/post-merge`, 0o755);
  writeFileSync(`${copy}/file`, 'mine\n');
  commit('three\n');
  await t.rejects(pass({}), { code: 'AGENT_GIT_LOCAL_CHANGES' });
  holds('mine\n');
  t.match(await pass({ force: true }), { action: 'updated' });
  holds('three\n');
  commit('four\n');
  await pass({});
  t.notOk(existsSync(`${place}/hooked`), 'no hook of the copy runs with the rights of the agent');

  await t.rejects(pass({ branch: 'ghost' }), { code: 'AGENT_GIT_REFERENCE' });
  rmSync(source, { recursive: true });
  t.match(await pass({}), { action: 'none', reason: /the remote is out of reach/ });
  rmSync(copy, { recursive: true });
  await t.rejects(pass({}), { code: 'AGENT_GIT_REMOTE', outcome: 'blocked' });
  mkdirSync(`${copy}.vigo-new/half`, { recursive: true });
  mkdirSync(copy);
  git(place, 'init', '-q', '-b', 'main', 'source');
  writeFileSync(`${source}/file`, 'new\n');
  git(source, 'add', 'file');
  git(source, 'commit', '-qm', 'new');
  t.match(await pass({ depth: 1 }), { action: 'created' }, 'after a clone that was cut short');
  t.notOk(existsSync(`${copy}.vigo-new`));
});

const gone = (root: string, t: Test) => t.notOk(existsSync(`${root}/srv/site`));
const site = { path: '/srv/site', repo: '/srv/repo' };
const cases: readonly ExecutorCase[] = [
  {
    name: 'absent',
    parameters: { ...site, state: 'absent' },
    arrange: (root) => mkdirSync(`${root}/srv/site/.git`, { recursive: true }),
    action: 'deleted',
    check: gone,
  },
  { name: 'absent already', parameters: { path: '/srv/site', state: 'absent' }, action: 'none' },
  {
    name: 'a directory of other things is left',
    parameters: site,
    arrange: (root) => mkdirSync(`${root}/srv/site/mine`, { recursive: true }),
    action: 'failed',
    errorCode: 'AGENT_PATH_OCCUPIED',
  },
  ...refusedCases(site, [
    { repo: '--upload-pack=/bin/sh' },
    { repo: 'ext::sh -c id' },
    { repo: '' },
    { branch: '-x' },
    { branch: 'a..b' },
    { path: '/' },
    { path: 'srv' },
    { depth: 0 },
  ]),
];

t.test('what is at the path is respected', (t) =>
  proveExecutor(t, gitType, cases, {
    platform: (root) => {
      const node = createNodePlatform({ root });
      const { paths } = node;
      return {
        ...node,
        paths: {
          root: '/',
          confined: false,
          resolve: (declared, options) => paths.resolve(declared, options),
          declared: (real) => paths.declared(real),
        },
      };
    },
  }),
);

t.test('answers of remotes, and passwords in URLs', async (t) => {
  const [a, b] = ['a'.repeat(40), 'b'.repeat(40)];
  const wanted = ['refs/heads/v', 'refs/tags/v^{}', 'refs/tags/v'];
  const text = `${a}\trefs/tags/v\n${b}\trefs/tags/v^{}\n`;
  t.same(parseRemote(text, 'v', wanted), { commit: b, branch: undefined }, 'an annotated tag');
  const head = `ref: refs/heads/main\tHEAD\n${a}\tHEAD\n`;
  t.same(parseRemote(head, undefined, ['HEAD']), { commit: a, branch: 'main' });
  t.equal(parseRemote('', 'x', wanted), undefined);
  t.equal(withoutPassword('at https://me:secret@host/x'), 'at https://***@host/x');
});
