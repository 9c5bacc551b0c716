import t from 'tap';
import { dockerImageType } from '../../../../agent/executors/containers/image.ts';
import {
  fullImageName,
  parseImageName,
  registryOf,
} from '../../../../agent/platform/docker/image-name.ts';
import { registryLogin } from '../../../../agent/platform/docker/registry-login.ts';
import { breakingEngine, dockerMachine } from '../../../support/docker-machine.ts';
import {
  type ExecutorCase,
  proveExecutor,
  refusedCases,
} from '../../../support/executor-harness.ts';
import {
  type FakeDockerState,
  readDocker,
  stopFakeEngines,
  writeDocker,
} from '../../../support/fake-docker-engine.ts';
import { arrange } from '../../../support/simulated-machine.ts';

t.teardown(stopFakeEngines);

const { platform } = dockerMachine();
const redis = { image: 'redis', tag: '7' };
const having = (state: Partial<FakeDockerState>) => (root: string) => writeDocker(root, state);
const stored = having({ images: { 'redis:7': 'sha256:one' } });
const holds =
  (...names: string[]): ExecutorCase['check'] =>
  (root, t) =>
    t.same(Object.keys(readDocker(root).images), names);

const cases: readonly ExecutorCase[] = [
  {
    name: 'pulled when it is missing',
    parameters: redis,
    arrange: having({ registry: { 'redis:7': 'sha256:one' } }),
    action: 'created',
    check: holds('redis:7'),
  },
  { name: 'there, and no registry in reach', parameters: redis, arrange: stored, action: 'none' },
  {
    name: 'followed only when triggered, so not in this pass',
    parameters: { ...redis, pull: 'always' },
    arrange: stored,
    action: 'none',
  },
  {
    name: 'latest when nothing is said',
    parameters: { image: 'localhost:5000/team/app' },
    arrange: having({ registry: { 'localhost:5000/team/app:latest': 'sha256:app' } }),
    action: 'created',
  },
  {
    name: 'removed',
    parameters: { ...redis, state: 'absent' },
    arrange: stored,
    action: 'deleted',
    check: holds(),
  },
  {
    name: 'absent',
    parameters: { ...redis, state: 'absent' },
    arrange: having({}),
    action: 'none',
  },
];

t.test('an image is there, or not', (t) =>
  proveExecutor(t, dockerImageType, cases, { platform, interrupted: 'first-of-each-action' }),
);

t.test('whatever request the engine dies at, the next pass ends right', (t) =>
  proveExecutor(t, dockerImageType, cases, {
    platform,
    breaking: breakingEngine,
    interrupted: 'first-of-each-action',
  }),
);

/** A dry run cannot know what a registry says, so only the pass is looked at. */
const failing: readonly [
  string,
  ExecutorCase['arrange'],
  Readonly<Record<string, string>>,
  string,
][] = [
  ['no engine', undefined, redis, 'AGENT_DOCKER_UNAVAILABLE'],
  ['never pulled', having({}), { ...redis, pull: 'never' }, 'AGENT_DOCKER_IMAGE_MISSING'],
];

t.test('what cannot be done is told', (t) =>
  proveExecutor(
    t,
    dockerImageType,
    [
      ...failing.map(
        ([name, arranged, parameters, errorCode]): ExecutorCase => ({
          name,
          parameters,
          ...(arranged === undefined ? {} : { arrange: arranged }),
          action: errorCode === 'AGENT_DOCKER_UNAVAILABLE' ? 'blocked' : 'failed',
          errorCode,
        }),
      ),
      ...refusedCases(redis, [
        { image: 'Redis' },
        { image: 'redis:6' },
        { image: '../x' },
        { tag: 'a b' },
        { pull: 'sometimes' },
        { timeout: '0' },
        { colour: 'red' },
      ]),
    ],
    { platform },
  ),
);

t.test('names of images are taken apart as Docker does it', async (t) => {
  const digest = `sha256:${'0'.repeat(64)}`;
  t.same(parseImageName('nginx'), { repository: 'nginx', tag: 'latest', digest: undefined });
  t.same(parseImageName('r:5000/a/b'), {
    repository: 'r:5000/a/b',
    tag: 'latest',
    digest: undefined,
  });
  t.equal(fullImageName(`r:5000/a:1@${digest}`), `r:5000/a@${digest}`);
  const hosts = ['nginx', 'team/app', 'r.example/app', 'localhost/app', 'r:5000/app'].map(
    registryOf,
  );
  t.same(hosts, ['docker.io', 'docker.io', 'r.example', 'localhost', 'r:5000']);
});

t.test('a login of root is used for its registry only', async (t) => {
  const root = t.testdir();
  const auth = Buffer.from('me:a:b').toString('base64');
  const config = { auths: { 'r.example': { auth }, 'https://index.docker.io/v1/': { auth: '' } } };
  arrange(root, { '/root/.docker/config.json': JSON.stringify(config) });
  const header = await registryLogin('r.example/app', platform(root));
  const login = JSON.parse(Buffer.from(header ?? '', 'base64url').toString());
  t.same(login, { username: 'me', password: 'a:b', serveraddress: 'r.example' });
  t.equal(await registryLogin('other.example/app', platform(root)), undefined);
  t.equal(await registryLogin('nginx', platform(root)), undefined);
  arrange(root, { '/root/.docker/config.json': 'no JSON' });
  t.equal(await registryLogin('r.example/app', platform(root)), undefined);
});
