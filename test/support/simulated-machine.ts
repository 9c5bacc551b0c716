import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { createNodePlatform } from '../../agent/platform/node-platform.ts';
import type { Platform, RunRequest, RunResult } from '../../agent/platform/platform.ts';

/** What a simulated tool does to the tree; it answers what it prints, or how it fails. */
export type SimulatedTool = (
  words: readonly string[],
  root: string,
  stdin: string,
) => Partial<RunResult> | undefined;

/**
 * A whole machine below a directory, for types that cannot be confined: real files, the agent as
 * root, and tools that change those files as the real ones would (see test/lab for the real ones).
 */
export function simulatedMachine(
  tools: Readonly<Record<string, SimulatedTool>>,
  calls: RunRequest[] = [],
): (root: string) => Platform {
  return (root) => {
    const node = createNodePlatform({ root });
    return {
      ...node,
      paths: {
        root: '/',
        confined: false,
        resolve: (declared, options) => node.paths.resolve(declared, options),
        declared: (real) => node.paths.declared(real),
      },
      host: {
        operatingSystem: 'linux',
        architecture: 'x64',
        effectiveUid: 0,
        hostname: () => 'simulated',
        randomBytes: (length) => new Uint8Array(length).fill(7),
        networkInterfaces: () => [],
        fileSystemSize: async () => ({ totalBytes: 0, freeBytes: 0 }),
      },
      processes: {
        run: async (request) => {
          calls.push(request);
          // A tool of the tree itself is called by its real path.
          const [program] = request.argv;
          const own = program.startsWith(`${root}/`) ? program.slice(root.length) : program;
          const tool = tools[program] ?? tools[own];
          if (tool === undefined) throw new Error(`no simulated ${request.argv[0]}`);
          const stdin = new TextDecoder().decode(request.stdin);
          const result = tool(request.argv.slice(1), root, stdin);
          return { ...succeeded, ...result };
        },
        // As the kernel does it to a process that does not defend itself: it is gone from /proc.
        signal: async (pid) => {
          const gone = existsSync(`${root}/proc/${pid}`);
          rmSync(`${root}/proc/${pid}`, { recursive: true, force: true });
          return gone;
        },
      },
    };
  };
}

const succeeded: RunResult = {
  exitCode: 0,
  signal: undefined,
  stdout: '',
  stderr: '',
  timedOut: false,
  truncated: false,
};

/** Writes files below a root, with their directories. */
export function arrange(root: string, files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(`${root}${path}`), { recursive: true });
    writeFileSync(`${root}${path}`, content);
  }
}
