import type { Paths, Platform, ResolveOptions, RunResult } from '../../platform/platform.ts';
import { PlatformError } from '../../platform/platform-error.ts';
import { dirname } from '../path-text.ts';
import { ShadowFiles } from './shadow-files.ts';
import { ShadowTree } from './shadow-tree.ts';

/** Links of memory followed in one resolution, as many as Linux follows. */
const linkLimit = 40;

/** The view of one dry run on the node: everything can be read, and what is written stays in memory. */
export interface Shadow {
  readonly platform: Platform;
  /**
   * Runs the apply of a type in memory. Meanwhile no process starts: each one is taken as having
   * succeeded without a word. One at a time, with no observation under way.
   */
  act(work: () => Promise<void>): Promise<ShadowAct>;
}

export interface ShadowAct {
  /** What the work threw. */
  readonly thrown: unknown;
  readonly failed: boolean;
  /** It wanted to run processes, whose doing is not known. */
  readonly ranProcess: boolean;
}

const silentSuccess: RunResult = {
  exitCode: 0,
  signal: undefined,
  stdout: '',
  stderr: '',
  timedOut: false,
  truncated: false,
};

export function createShadow(node: Platform): Shadow {
  const tree = new ShadowTree(node.files);
  let acting = false;
  let ranProcess = false;
  const { clock, host } = node;
  const platform: Platform = {
    clock,
    host,
    files: new ShadowFiles({ base: node.files, tree, host, nowMs: () => clock.nowMs() }),
    paths: new ShadowPaths(node.paths, tree),
    processes: {
      run: async (request) => {
        if (!acting) return node.processes.run(request);
        ranProcess = true;
        return silentSuccess;
      },
      // Never sent, not even by an observation: it is no way of looking.
      signal: async () => {
        ranProcess = true;
        return true;
      },
    },
  };
  return {
    platform,
    act: async (work) => {
      acting = true;
      ranProcess = false;
      try {
        await work();
        return { thrown: undefined, failed: false, ranProcess };
      } catch (thrown) {
        return { thrown, failed: true, ranProcess };
      } finally {
        acting = false;
      }
    },
  };
}

/** Resolves over the real tree, and through the links that stand in memory. */
class ShadowPaths implements Paths {
  readonly root: string;
  readonly confined: boolean;
  readonly #base: Paths;
  readonly #tree: ShadowTree;

  constructor(base: Paths, tree: ShadowTree) {
    this.root = base.root;
    this.confined = base.confined;
    this.#base = base;
    this.#tree = tree;
  }

  async resolve(declared: string, options: ResolveOptions = {}): Promise<string> {
    let path = declared;
    for (let links = 0; links <= linkLimit; links += 1) {
      const real = await this.#resolveBase(path, options);
      const link = this.#tree.hasLinks ? this.#firstLink(real, options) : undefined;
      if (link === undefined) return real;
      const rest = real.slice(link.path.length);
      const from = link.target.startsWith('/')
        ? link.target
        : `${this.#base.declared(dirname(link.path))}/${link.target}`;
      path = `${from}${rest}`;
    }
    throw new PlatformError('ELOOP', 'resolve', declared);
  }

  declared(real: string): string {
    return this.#base.declared(real);
  }

  /** A real link that something else has replaced in memory is not followed. */
  async #resolveBase(declared: string, options: ResolveOptions): Promise<string> {
    if (options.followLast !== true) return this.#base.resolve(declared);
    const itself = await this.#base.resolve(declared);
    return this.#tree.own(itself) === undefined ? this.#base.resolve(declared, options) : itself;
  }

  #firstLink(real: string, { followLast }: ResolveOptions) {
    const ends = [...real.matchAll(/\//g)].map(({ index }) => index).filter((end) => end > 0);
    for (const end of followLast === true ? [...ends, real.length] : ends) {
      const path = real.slice(0, end);
      const own = this.#tree.own(path);
      if (own?.kind === 'symlink') return { path, target: own.target };
    }
    return undefined;
  }
}
