import { NodeFiles } from './node-files.ts';
import { NodeClock, NodeHost } from './node-host.ts';
import { NodePaths } from './node-paths.ts';
import { NodeProcesses } from './node-processes.ts';
import type { Platform } from './platform.ts';

export interface NodePlatformOptions {
  /** Where declared paths are confined beneath; must exist. Default "/": the whole machine. */
  readonly root?: string;
}

/** The operating system by Node. */
export function createNodePlatform(options: NodePlatformOptions = {}): Platform {
  return {
    paths: new NodePaths(options.root ?? '/'),
    files: new NodeFiles(),
    processes: new NodeProcesses(),
    clock: new NodeClock(),
    host: new NodeHost(),
  };
}
