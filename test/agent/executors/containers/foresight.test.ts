import t from 'tap';
import { createEngine } from '../../../../agent/converge/engine.ts';
import { dockerContainerType } from '../../../../agent/executors/containers/container.ts';
import { dockerImageType } from '../../../../agent/executors/containers/image.ts';
import { typeRegistry } from '../../../../agent/executors/registry.ts';
import type { Platform } from '../../../../agent/platform/platform.ts';
import { dockerMachine } from '../../../support/docker-machine.ts';
import { stopFakeEngines, writeDocker } from '../../../support/fake-docker-engine.ts';
import { RecordingType } from '../../../support/recording-type.ts';
import { bundle, module } from '../../../support/resource-bundle.ts';

t.teardown(stopFakeEngines);

const image = { type: 'docker_image', name: 'image', parameters: { image: 'app:1' } };
const container = {
  type: 'docker_container',
  name: 'container',
  dependsOn: ['main/image'],
  parameters: { container: 'web', image: 'app:1', pull: 'never' },
};
const engineItself = { type: 'recording', name: 'docker', parameters: { key: 'docker' } };

async function predicted(platform: Platform, resources: Parameters<typeof module>[1]) {
  const recording = new RecordingType(60_000).script('docker', { drift: true });
  const registry = typeRegistry([recording.type(), dockerImageType, dockerContainerType]);
  const engine = createEngine({ platform, registry });
  const document = bundle([module('main', resources)]);
  const result = await engine.pass({ document, traits: {}, dryRun: true });
  return result.resources.map(({ action, errorCode }) => `${action} ${errorCode}`.trim());
}

t.test('a plan for a new machine: what brings the engine comes first', async (t) => {
  const platform = dockerMachine().platform(t.testdir());
  t.same(await predicted(platform, [image, container]), [
    'blocked AGENT_DOCKER_UNAVAILABLE',
    'skipped AGENT_DEPENDENCY_FAILED',
  ]);
  t.same(await predicted(platform, [engineItself, image, container]), [
    'updated',
    'created',
    'created',
  ]);
});

t.test('an image that is never pulled is brought by an earlier resource', async (t) => {
  const root = t.testdir();
  writeDocker(root, {});
  const platform = dockerMachine().platform(root);
  const alone = { ...container, dependsOn: [] };
  t.same(await predicted(platform, [alone]), ['failed AGENT_DOCKER_IMAGE_MISSING']);
  t.same(await predicted(platform, [image, container]), ['created', 'created']);
});
