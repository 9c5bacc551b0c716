import { AgentError } from '../../errors.ts';
import { toolEnvironment } from '../command.ts';
import type { Platform } from '../platform.ts';

export type ComposeTool = readonly [string, ...string[]];

const plugins = [
  '/usr/local/lib/docker/cli-plugins',
  '/usr/local/libexec/docker/cli-plugins',
  '/usr/lib/docker/cli-plugins',
  '/usr/libexec/docker/cli-plugins',
  '/root/.docker/cli-plugins',
];

/**
 * How Docker Compose is called here: the plugin of the docker command, else docker-compose, told by
 * their files.
 *
 * @throws {AgentError} AGENT_COMMAND_MISSING
 */
export async function findComposeTool(platform: Platform): Promise<ComposeTool> {
  const there = async (path: string): Promise<boolean> =>
    (await platform.files.status(await platform.paths.resolve(path, { followLast: true })))
      ?.kind === 'file';
  const any = async (name: string, directories: readonly string[]): Promise<boolean> => {
    for (const directory of directories) if (await there(`${directory}/${name}`)) return true;
    return false;
  };
  const commands = (toolEnvironment.PATH ?? '').split(':');
  if ((await any('docker-compose', plugins)) && (await any('docker', commands)))
    return ['docker', 'compose'];
  if (await any('docker-compose', commands)) return ['docker-compose'];
  throw new AgentError('AGENT_COMMAND_MISSING', { detail: 'docker compose' });
}
