import { rmSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import type { ResourceOutcome } from '../../agent/converge/result.ts';
import type { Action } from '../../agent/executors/contract.ts';
import type { PolicyValue } from '../../agent/protocol/bundle.ts';
import { requires } from '../support/requires.ts';
import { command, DockerLab } from './docker-lab.ts';
import type { LabResource } from './resources.ts';
import { stackResources } from './stack-resources.ts';

const skip = requires(
  'root',
  'linux',
  'command:dockerd',
  'command:docker',
  'command:docker-compose',
  'command:docker-registry',
  'command:busybox',
  'command:nsenter',
);

/** As the overview of the product shows it. */
const sample = `name: myapp
resources:
  - name: App compose file
    type: file
    target_path: /opt/myapp/docker-compose.yml
    owner: root
    group: root
    mode: "0644"
    content: |
      services:
        web:
          image: nginx:latest
          ports: ["80:80"]
    notify: [App stack]
  - name: App stack
    type: docker_compose
    compose_file: /opt/myapp/docker-compose.yml
    pull: always
    when: "changed"
`;

const healthCheck =
  'HEALTHCHECK --interval=1s --retries=2 CMD wget -q -O /dev/null http://127.0.0.1/';

t.test('images, containers and Compose with a real engine', { skip }, async (t) => {
  let lab: DockerLab;
  t.before(async () => {
    lab = await DockerLab.start();
    lab.publish('library/nginx:latest', 'one');
    lab.publish('team/app:1', 'app 1', healthCheck);
    lab.publish('team/app:2', 'app 2', healthCheck, command('sleep 1000'));
  });
  t.teardown(() => lab?.stop());

  const everything = () =>
    [
      ['ps', '--all', '--no-trunc', '--format', '{{.ID}} {{.Names}} {{.State}}'],
      ['images', '--no-trunc', '--format', '{{.ID}} {{.Repository}} {{.Tag}}'],
      ['network', 'ls', '--no-trunc', '--format', '{{.ID}}'],
    ].map((words) =>
      lab
        .docker(...words)
        .split('\n')
        .sort(),
    );

  async function one(
    type: string,
    parameters: Readonly<Record<string, PolicyValue>>,
    dryRun = false,
  ): Promise<ResourceOutcome> {
    const { resources } = await lab.converge([{ type, parameters }], { dryRun });
    return resources[0]!;
  }

  /** A dry run tells what the pass then does and changes nothing; the pass after it does nothing. */
  async function repairs(
    t: Test,
    type: string,
    parameters: Readonly<Record<string, PolicyValue>>,
    action: Action,
    reason = /./,
  ): Promise<void> {
    const before = everything();
    const predicted = await one(type, parameters, true);
    t.same(everything(), before, 'a dry run changes nothing');
    const done = await one(type, parameters);
    t.match(done, { action, errorCode: '', reason }, done.reason);
    t.equal(predicted.action, done.action, `the dry run told the truth: ${predicted.reason}`);
    const settled = everything();
    const again = await one(type, parameters);
    t.equal(again.action, 'none', again.reason);
    t.same(everything(), settled, 'a second pass changes nothing');
  }

  async function passes(t: Test, resources: readonly LabResource[], actions: readonly Action[]) {
    const told = (await lab.converge(resources, { dryRun: true })).resources;
    const done = (await lab.converge(resources)).resources;
    const said = JSON.stringify(done.map(({ reason }) => reason));
    t.same(
      done.map(({ action }) => action),
      actions,
      said,
    );
    t.same(
      told.map(({ action }) => action),
      actions,
      'as predicted',
    );
  }

  t.test('the third sample of the overview', async (t) => {
    const resources = await stackResources(sample);
    await passes(t, resources, ['created', 'created']);
    t.equal(lab.get('http://127.0.0.1:80/'), 'one');
    await passes(t, resources, ['none', 'skipped']);
    lab.publish('library/nginx:latest', 'two');
    writeFileSync(lab.optPath('myapp/docker-compose.yml'), '# edited\n');
    await passes(t, resources, ['updated', 'updated']);
    t.equal(lab.get('http://127.0.0.1:80/'), 'two', 'with the image that is latest now');
    await passes(t, resources, ['none', 'skipped']);
  });

  t.test('an application that is looked after all the time, without a registry', async (t) => {
    const parameters = { compose_file: '/opt/myapp/docker-compose.yml', remove_orphans: true };
    await lab.stopRegistry();
    t.equal((await one('docker_compose', parameters)).action, 'none');
    for (const damage of [
      ['stop', 'myapp_web_1'],
      ['rm', '--force', 'myapp_web_1'],
      ['pause', 'myapp_web_1'],
    ]) {
      lab.docker(...damage);
      const action = damage[0] === 'rm' ? 'created' : 'updated';
      await repairs(t, 'docker_compose', parameters, action);
      t.equal(lab.get('http://127.0.0.1:80/'), 'two');
    }
    const worker =
      '  worker:\n    image: nginx:latest\n    command: sleep 1000\n    stop_grace_period: 1s\n';
    const text = `services:\n  web:\n    image: nginx:latest\n    ports: ["81:80"]\n${worker}`;
    writeFileSync(lab.optPath('myapp/docker-compose.yml'), text);
    await repairs(t, 'docker_compose', parameters, 'updated', /web_1 is not as the file says/);
    t.equal(lab.get('http://127.0.0.1:81/'), 'two');
    writeFileSync(lab.optPath('myapp/docker-compose.yml'), text.replace(worker, ''));
    await repairs(t, 'docker_compose', parameters, 'updated', /worker_1 has no service/);
    writeFileSync(lab.optPath('myapp/other.yml'), 'services:\n  web:\n    image: nowhere:1\n');
    const other = { compose_file: '/opt/myapp/other.yml', project: 'other' };
    const unreachable = await one('docker_compose', other);
    t.match(unreachable, { action: 'blocked', errorCode: 'AGENT_DOCKER_PULL' }, unreachable.reason);
    writeFileSync(lab.optPath('myapp/other.yml'), 'services: nonsense\n');
    const wrong = await one('docker_compose', other);
    t.match(wrong, { action: 'failed', errorCode: 'AGENT_COMPOSE_FILE' }, wrong.reason);
    await repairs(t, 'docker_compose', { ...parameters, state: 'down' }, 'deleted');
    rmSync(lab.optPath('myapp'), { recursive: true });
    t.equal((await one('docker_compose', { ...parameters, state: 'down' })).action, 'none');
    await lab.startRegistry();
  });

  t.test('a container', async (t) => {
    const parameters = {
      container: 'app',
      image: '127.0.0.1:5000/team/app:1',
      ports: ['127.0.0.1:8080:80'],
      volumes: ['app-data:/data'],
      environment: { PASSWORD: 'hunter2' },
    };
    const inspect = (format: string) => lab.docker('inspect', '--format', format, 'app').trim();
    await repairs(t, 'docker_container', parameters, 'created');
    t.equal(lab.get('http://127.0.0.1:8080/'), 'app 1');
    t.equal(inspect('{{.State.Health.Status}}'), 'healthy', 'it was waited for');
    t.notMatch(inspect('{{json .Config.Labels}}'), 'hunter2');
    for (const damage of [
      ['stop', 'app'],
      ['pause', 'app'],
      ['update', '--restart', 'no', 'app'],
    ]) {
      lab.docker(...damage);
      await repairs(t, 'docker_container', parameters, 'updated');
    }
    lab.docker('rm', '--force', 'app');
    await repairs(t, 'docker_container', parameters, 'created');
    lab.docker('create', '--name', 'app.vigo-new', '127.0.0.1:5000/team/app:1');
    await repairs(t, 'docker_container', parameters, 'updated', /not finished/);
    const moved = { ...parameters, ports: '8081:80', environment: { PASSWORD: 'other' } };
    await repairs(t, 'docker_container', moved, 'updated', /ports changed, environment changed/);
    t.equal(lab.get('http://127.0.0.1:8081/'), 'app 1');
    t.match(inspect('{{.Config.Env}}'), 'PASSWORD=other');

    const id = inspect('{{.Id}}');
    const nowhere = await one('docker_container', { ...moved, network: 'nowhere' });
    t.match(nowhere, { action: 'failed', errorCode: 'AGENT_DOCKER_NETWORK_MISSING' });
    const missing = await one('docker_container', { ...moved, image: '127.0.0.1:5000/team/no' });
    t.match(missing, { action: 'blocked', errorCode: 'AGENT_DOCKER_PULL' }, missing.reason);
    t.equal(inspect('{{.Id}} {{.State.Status}}'), `${id} running`, 'the old one is left alone');
    const rival = { ...moved, container: 'rival' };
    const taken = await one('docker_container', rival);
    t.match(taken, { action: 'blocked', errorCode: 'AGENT_DOCKER_PORT_TAKEN' }, taken.reason);
    await repairs(t, 'docker_container', { container: 'rival', state: 'absent' }, 'deleted');

    const sick = await one('docker_container', { ...moved, image: '127.0.0.1:5000/team/app:2' });
    t.match(sick, { action: 'failed', errorCode: 'AGENT_DOCKER_UNHEALTHY' }, sick.reason);
    const ends = await one('docker_container', { ...moved, command: '/bin/sh -c "exit 3"' });
    t.match(ends, { action: 'failed', errorCode: 'AGENT_DOCKER_UNHEALTHY' }, ends.reason);
    await repairs(t, 'docker_container', moved, 'updated');
    await repairs(t, 'docker_container', { container: 'app', state: 'stopped' }, 'updated');
    await repairs(t, 'docker_container', { container: 'app', state: 'absent' }, 'deleted');
    t.match(lab.docker('volume', 'ls'), 'app-data', 'volumes stay');
  });

  t.test('an image, by tag and by digest', async (t) => {
    const image = '127.0.0.1:5000/team/app';
    const absent = { image, tag: '1', state: 'absent' };
    lab.docker('run', '--detach', '--name', 'user', `${image}:1`);
    const used = await one('docker_image', absent);
    t.match(used, { action: 'blocked', errorCode: 'AGENT_DOCKER_IMAGE_IN_USE' }, used.reason);
    lab.docker('rm', '--force', 'user');
    const format = '{{index .RepoDigests 0}}';
    const digest = lab.docker('inspect', '--format', format, `${image}:1`).trim();
    await repairs(t, 'docker_image', absent, 'deleted');
    await repairs(t, 'docker_image', { image, tag: '1' }, 'created');
    await repairs(t, 'docker_image', absent, 'deleted');
    await repairs(t, 'docker_image', { image: digest }, 'created');
    const unknown = await one('docker_image', { image: `${image}:nosuch` });
    t.match(unknown, { action: 'blocked', errorCode: 'AGENT_DOCKER_PULL' }, unknown.reason);
    const never = await one('docker_image', { image: `${image}:nosuch`, pull: 'never' });
    t.match(never, { action: 'failed', errorCode: 'AGENT_DOCKER_IMAGE_MISSING' });
  });

  t.test('an engine that is down', async (t) => {
    await lab.stopEngine();
    const parameters = { image: 'nginx' };
    const code = { action: 'blocked', errorCode: 'AGENT_DOCKER_UNAVAILABLE' } as const;
    t.match(await one('docker_image', parameters), code);
    t.match(await one('docker_image', parameters, true), code);
    await lab.startEngine();
    t.equal((await one('docker_image', parameters)).action, 'none', 'and is back');
  });
});
