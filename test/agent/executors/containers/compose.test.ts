import { rmSync } from 'node:fs';
import t from 'tap';
import { dockerComposeType } from '../../../../agent/executors/containers/compose.ts';
import {
  breakingEngine,
  composeLabels,
  dockerMachine,
  installCompose,
} from '../../../support/docker-machine.ts';
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

t.teardown(stopFakeEngines);

const { platform, calls } = dockerMachine();
const file = '/opt/My App/docker-compose.yml';
const app = { compose_file: file, pull: 'always' };
const web = 'web:\n    image: nginx\n';
const job = 'job:\n    image: nginx # one-shot\n';
const images = { nginx: 'sha256:one' };

function container(service: string, part: string, change: Partial<FakeContainer> = {}) {
  const labels = composeLabels('myapp', service, part);
  const name = `myapp_${service}_1`;
  return { name, image: '', imageId: '', state: 'running', labels, ...change } as const;
}

const having =
  (state: Partial<FakeDockerState>, services: readonly string[] = [web]): ExecutorCase['arrange'] =>
  (root) => {
    installCompose(root, file, `services:\n${services.map((part) => `  ${part}`).join('')}`);
    writeDocker(root, { images, registry: images, ...state });
  };
const up = having({ containers: [container('web', web)] });
const runs =
  (...names: string[]): ExecutorCase['check'] =>
  (root, t) => {
    const found = readDocker(root).containers.map(({ name, state }) => `${name} ${state}`);
    t.same(found.sort(), names);
  };
const asDeclared = runs('myapp_web_1 running');

const cases: readonly ExecutorCase[] = [
  {
    name: 'brought up',
    parameters: app,
    arrange: having({}),
    action: 'created',
    check: asDeclared,
  },
  { name: 'up', parameters: app, arrange: up, action: 'none' },
  {
    name: 'the file has changed',
    parameters: app,
    arrange: having({ containers: [container('web', 'an older text')] }),
    action: 'updated',
    reason: /myapp_web_1 is not as the file says/,
    check: asDeclared,
  },
  {
    name: 'a container was stopped',
    parameters: app,
    arrange: having({ containers: [container('web', web, { state: 'exited' })] }),
    action: 'updated',
    reason: /myapp_web_1 is exited/,
    check: asDeclared,
  },
  {
    name: 'a service is new',
    parameters: { ...app, one_shot: 'job' },
    arrange: having({ containers: [container('web', web)] }, [web, job]),
    action: 'updated',
    reason: /job has no container/,
    check: runs('myapp_job_1 exited', 'myapp_web_1 running'),
  },
  {
    name: 'a service that is meant to end has failed',
    parameters: { ...app, one_shot: 'job' },
    arrange: having({ containers: [container('job', job, { state: 'exited', exitCode: 1 })] }, [
      job,
    ]),
    action: 'updated',
  },
  {
    name: 'orphans stay',
    parameters: app,
    arrange: having({ containers: [container('web', web), container('old', web)] }),
    action: 'none',
  },
  {
    name: 'orphans go',
    parameters: { ...app, remove_orphans: true },
    arrange: having({ containers: [container('web', web), container('old', web)] }),
    action: 'updated',
    reason: /myapp_old_1 has no service/,
    check: asDeclared,
  },
  {
    name: 'taken down, the network with it',
    parameters: { ...app, state: 'down' },
    arrange: having({
      containers: [container('web', web)],
      networks: { myapp_default: { 'com.docker.compose.project': 'myapp' } },
    }),
    action: 'deleted',
    check: (root, t) => t.match(readDocker(root), { containers: [], networks: {} }),
  },
  {
    name: 'down, without a file',
    parameters: { ...app, state: 'down' },
    arrange: (root) => writeDocker(root, {}),
    action: 'none',
  },
];

t.test('an application is as its file says', (t) =>
  proveExecutor(t, dockerComposeType, cases, {
    platform,
    interrupted: 'first-of-each-action',
  }),
);

t.test('whatever request the engine dies at, the next pass ends right', (t) =>
  proveExecutor(t, dockerComposeType, cases, {
    platform,
    breaking: breakingEngine,
    interrupted: 'first-of-each-action',
  }),
);

t.test('what cannot be done is told', (t) =>
  proveExecutor(
    t,
    dockerComposeType,
    [
      {
        name: 'no engine',
        parameters: app,
        action: 'blocked',
        errorCode: 'AGENT_DOCKER_UNAVAILABLE',
      },
      {
        name: 'no file',
        parameters: app,
        arrange: (root) => writeDocker(root, {}),
        action: 'failed',
        errorCode: 'AGENT_PATH_MISSING',
      },
      {
        name: 'no Compose',
        parameters: { ...app, compose_file: '/etc/compose.yml' },
        arrange: (root) => {
          writeDocker(root, {});
          installCompose(root, '/etc/compose.yml', 'services:\n');
          rmSync(`${root}/usr/bin/docker-compose`);
        },
        action: 'blocked',
        errorCode: 'AGENT_COMMAND_MISSING',
      },
      {
        name: 'a file that is none',
        parameters: app,
        arrange: (root) => {
          writeDocker(root, {});
          installCompose(root, file, 'nonsense\n');
        },
        action: 'failed',
        errorCode: 'AGENT_COMPOSE_FILE',
      },
      ...refusedCases(app, [
        { project: 'Not Lower' },
        { compose_file: 'relative.yml' },
        { state: 'restarted' },
        { env_file: 'x' },
        { one_shot: 'a b' },
      ]),
    ],
    { platform },
  ),
);

t.test('a second pass asks Compose nothing while all is right', async (t) => {
  const asked = () => calls.filter(({ argv }) => argv.includes('config')).length;
  const before = asked();
  await proveExecutor(t, dockerComposeType, [cases[1]!], { platform });
  // The dry run and the first pass ask; the second pass finds that nothing has changed.
  t.equal(asked() - before, 2);
});
