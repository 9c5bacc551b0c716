import type { Platform } from '../platform/platform.ts';
import type { TraitCollector } from './collector.ts';
import { known, listMachineDirectory, readMachineFile, tryMachineLine } from './machine-file.ts';
import type { PackageReader } from './packages.ts';
import { isMap } from './values.ts';

const configPath = '/etc/docker/daemon.json';
const pidPath = '/run/docker.pid';
const defaultRoot = '/var/lib/docker';
const packageNames = ['docker-ce', 'docker.io', 'moby-engine'];
/** Running containers, in the containerd of the system and in dockerd's own. */
const taskDirectories = [
  '/run/containerd/io.containerd.runtime.v2.task/moby',
  '/run/docker/containerd/daemon/io.containerd.runtime.v2.task/moby',
];

/** docker.running, version, storage_driver, containers and containers_running. */
export function createDockerCollector(packages: PackageReader): TraitCollector {
  return {
    name: 'docker',
    collect: async ({ platform }) => {
      const config = await readConfig(platform);
      const root = typeof config['data-root'] === 'string' ? config['data-root'] : defaultRoot;
      const pid = await tryMachineLine(platform, pidPath);
      const present = pid !== undefined || (await platform.files.status(root)) !== undefined;
      if (!present) return undefined;
      const versions = (await packages(platform)) ?? {};
      const installed = packageNames.find((name) => Object.hasOwn(versions, name));
      const drivers = await listMachineDirectory(platform, `${root}/image`);
      const driver = config['storage-driver'];
      return known({
        running: await isDocker(platform, pid),
        version: installed === undefined ? undefined : versions[installed],
        storage_driver: typeof driver === 'string' ? driver : drivers[0],
        containers: (await listMachineDirectory(platform, `${root}/containers`)).length,
        containers_running: await runningTotal(platform),
      });
    },
  };
}

async function readConfig(platform: Platform) {
  const text = await readMachineFile(platform, configPath);
  const config = text === undefined || text.trim() === '' ? {} : JSON.parse(text);
  return isMap(config) ? config : {};
}

/** A process id is used again: the name tells whether it is still the daemon's. */
async function isDocker(platform: Platform, pid: string | undefined): Promise<boolean> {
  if (pid === undefined || !/^\d+$/.test(pid)) return false;
  return (await tryMachineLine(platform, `/proc/${pid}/comm`)) === 'dockerd';
}

async function runningTotal(platform: Platform): Promise<number> {
  const lists = taskDirectories.map((path) => listMachineDirectory(platform, path));
  return (await Promise.all(lists)).reduce((sum, names) => sum + names.length, 0);
}
