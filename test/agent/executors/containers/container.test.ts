import t from 'tap';
import { dockerContainerType } from '../../../../agent/executors/containers/container.ts';
import { parseContainer } from '../../../../agent/executors/containers/container-spec.ts';
import {
  changedAspects,
  declarationLabel,
  declarationOf,
} from '../../../../agent/executors/containers/declaration.ts';
import { splitWords } from '../../../../agent/executors/containers/settings.ts';
import type { PolicyValue } from '../../../../agent/protocol/bundle.ts';
import { breakingEngine, dockerMachine } from '../../../support/docker-machine.ts';
import {
  type ExecutorCase,
  proveExecutor,
  refusedCases,
} from '../../../support/executor-harness.ts';
import {
  type FakeContainer,
  type FakeDockerState,
  readDocker,
  stopFakeEngines,
  writeDocker,
} from '../../../support/fake-docker-engine.ts';
import { fc } from '../../../support/property.ts';

t.teardown(stopFakeEngines);

type Parameters = Readonly<Record<string, PolicyValue>>;

const { platform } = dockerMachine();
const images = { 'app:1': 'sha256:one', 'app:2': 'sha256:two' };
const app: Parameters = {
  container: 'web',
  image: 'app:1',
  command: `serve --title "a b" ''`,
  ports: ['127.0.0.1:8080:80', '53:53/udp'],
  network: 'front',
  volumes: ['data:/data', '/srv/web:/web:ro'],
  environment: { PASSWORD: 'hunter2', EMPTY: '' },
  restart_policy: 'on-failure:3',
};
const networks = { front: {} };

/** The container as an earlier pass with these parameters has left it. */
function made(parameters: Parameters, change: Partial<FakeContainer> = {}): FakeContainer {
  const spec = parseContainer(parameters);
  const [Name = '', retries = '0'] = spec.restart.split(':');
  return {
    name: spec.name,
    image: spec.image,
    imageId: images[spec.image as keyof typeof images],
    state: 'running',
    labels: { [declarationLabel]: declarationOf(spec, (length) => new Uint8Array(length).fill(9)) },
    restart: { Name, MaximumRetryCount: Number(retries) },
    ...change,
  };
}

const having =
  (state: Partial<FakeDockerState>): ExecutorCase['arrange'] =>
  (root) =>
    writeDocker(root, { images, networks, ...state });
const running = having({ containers: [made(app)] });

/** One container of the name, of this image, running; nothing half made. */
const runs =
  (imageId = 'sha256:one'): ExecutorCase['check'] =>
  (root, t) => {
    const found = readDocker(root).containers;
    t.match(found, [{ name: 'web', imageId, state: 'running' }]);
    t.equal(found.length, 1, 'and nothing beside it');
  };
const changed = (name: string, parameters: Parameters, reason: RegExp): ExecutorCase => ({
  name,
  parameters: { ...app, ...parameters },
  arrange: running,
  action: 'updated',
  reason,
});

const cases: readonly ExecutorCase[] = [
  {
    name: 'made',
    parameters: app,
    arrange: having({}),
    action: 'created',
    check: (root, t) => {
      runs()?.(root, t);
      const [{ creation, labels } = made(app)] = readDocker(root).containers;
      t.match(creation, {
        Image: 'app:1',
        Cmd: ['serve', '--title', 'a b', ''],
        Env: ['EMPTY=', 'PASSWORD=hunter2'],
        ExposedPorts: { '80/tcp': {}, '53/udp': {} },
        HostConfig: {
          Binds: ['/srv/web:/web:ro', 'data:/data'],
          NetworkMode: 'front',
          PortBindings: {
            '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8080' }],
            '53/udp': [{ HostIp: '', HostPort: '53' }],
          },
          RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 },
        },
      });
      t.notMatch(JSON.stringify(labels), 'hunter2', 'no secret in a label');
    },
  },
  {
    name: 'made after a pull',
    parameters: app,
    arrange: having({ images: {}, registry: images }),
    action: 'created',
    check: runs(),
  },
  { name: 'as declared', parameters: app, arrange: running, action: 'none' },
  { ...changed('another image', { image: 'app:2' }, /image changed/), check: runs('sha256:two') },
  { ...changed('a secret', { environment: { PASSWORD: 'new' } }, /environment changed/) },
  changed('ports', { ports: '8081:80' }, /ports changed/),
  changed('volumes', { volumes: [] }, /volumes changed/),
  changed('no command', { command: '' }, /command changed/),
  {
    name: 'the tag has another content now',
    parameters: app,
    arrange: having({ containers: [made(app)], images: { ...images, 'app:1': 'sha256:new' } }),
    action: 'updated',
    reason: /another content/,
    check: runs('sha256:new'),
  },
  {
    name: 'made by hand',
    parameters: app,
    arrange: having({ containers: [made(app, { labels: {} })] }),
    action: 'updated',
    reason: /not made by Vigo/,
    check: runs(),
  },
  {
    name: 'its restart policy was changed by hand',
    parameters: app,
    arrange: having({ containers: [made(app, { restart: { Name: 'no', MaximumRetryCount: 0 } })] }),
    action: 'updated',
    check: runs(),
  },
  ...(['exited', 'created', 'paused'] as const).map(
    (state): ExecutorCase => ({
      name: `found ${state}`,
      parameters: app,
      arrange: having({ containers: [made(app, { state })] }),
      action: 'updated',
      check: runs(),
    }),
  ),
  {
    name: 'left half made beside the right one',
    parameters: app,
    arrange: having({ containers: [made(app), made(app, { name: 'web.vigo-new' })] }),
    action: 'updated',
    check: runs(),
  },
  {
    name: 'stopped',
    parameters: { container: 'web', state: 'stopped' },
    arrange: running,
    action: 'updated',
    check: (root, t) => t.match(readDocker(root).containers, [{ state: 'exited' }]),
  },
  {
    name: 'stopped, and never there',
    parameters: { container: 'web', state: 'stopped' },
    arrange: having({}),
    action: 'none',
  },
  {
    name: 'removed',
    parameters: { container: 'web', state: 'absent' },
    arrange: having({ containers: [made(app), made(app, { name: 'web.vigo-new' })] }),
    action: 'deleted',
    check: (root, t) => t.same(readDocker(root).containers, []),
  },
  {
    name: 'absent',
    parameters: { container: 'web', state: 'absent' },
    arrange: having({}),
    action: 'none',
  },
];

t.test('a container is as declared', (t) =>
  proveExecutor(t, dockerContainerType, cases, {
    platform,
    interrupted: 'first-of-each-action',
  }),
);

t.test('whatever request the engine dies at, the next pass ends right', (t) =>
  proveExecutor(
    t,
    dockerContainerType,
    cases.filter(({ name }) => /^(?:made after|another image|found paused|removed)/.test(name)),
    { platform, breaking: breakingEngine },
  ),
);

const blocked = (name: string, state: Partial<FakeDockerState>, errorCode: string) => ({
  name,
  parameters: app,
  arrange: having(state),
  errorCode,
});

t.test('what cannot be done is told, in a dry run too where it can be known', (t) =>
  proveExecutor(
    t,
    dockerContainerType,
    [
      {
        name: 'no engine',
        parameters: app,
        action: 'blocked',
        errorCode: 'AGENT_DOCKER_UNAVAILABLE',
      },
      {
        ...blocked('never pulled', { images: {} }, 'AGENT_DOCKER_IMAGE_MISSING'),
        parameters: { ...app, pull: 'never' },
        action: 'failed',
      },
      {
        ...blocked(
          'unhealthy for long',
          { containers: [made(app, { health: 'unhealthy' })] },
          'AGENT_DOCKER_UNHEALTHY',
        ),
        action: 'failed',
      },
      {
        name: 'unhealthy, and nobody asks',
        parameters: { ...app, wait_healthy: false },
        arrange: having({ containers: [made(app, { health: 'unhealthy' })] }),
        action: 'none',
      },
      ...refusedCases(app, [
        { image: '' },
        { container: 'a/b' },
        { ports: '70000:80' },
        { ports: 'x' },
        { volumes: 'relative/path' },
        { environment: 'A=b' },
        { environment: { 'A=B': 'c' } },
        { environment: { A: ['b'] } },
        { command: "it's" },
        { restart_policy: 'sometimes' },
      ]),
    ],
    { platform },
  ),
);

t.test('no value of the environment can be read from the label', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ minLength: 4 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      async (secret, salt) => {
        const value = secret.replaceAll('\0', '0');
        const spec = parseContainer({ ...app, environment: { KEY: value } });
        const label = declarationOf(spec, () => salt);
        t.match(label, /^[0-9a-f]{32}(?:;[a-z_]+=[0-9a-f]{16}){7}$/);
        t.same(changedAspects(spec, label), []);
        const other = parseContainer({ ...app, environment: { KEY: `${value}x` } });
        t.same(changedAspects(other, label), ['environment']);
      },
    ),
    { numRuns: 50 },
  );
});

t.test('a command is split into words as a shell would, and back', async (t) => {
  fc.assert(
    fc.property(fc.array(fc.string()), (words) => {
      const quoted = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
      t.same(splitWords(quoted), words);
    }),
  );
  t.same(splitWords(' a  "b \\" $c"d\\ e '), ['a', 'b " $cd e']);
  t.equal(splitWords('a \\'), undefined);
});
