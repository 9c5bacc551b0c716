import { lstatSync, readlinkSync, realpathSync } from 'node:fs';
import { AgentError } from '../errors.ts';
import type { Paths, ResolveOptions } from './platform.ts';
import { platformError } from './platform-error.ts';

/** Links followed in one resolution, as many as Linux follows (path_resolution(7)). */
const linkLimit = 40;
const pathBytesLimit = 4096;

/**
 * Resolves in user space what openat2(2) calls RESOLVE_IN_ROOT, except that climbing above the root
 * is refused instead of ignored. System calls are the synchronous ones: each takes microseconds,
 * a tenth of what a trip to the thread pool costs. Between resolution and use another process may
 * exchange a parent for a link; who can write in the parents of a managed path is trusted with it.
 */
export class NodePaths implements Paths {
  readonly root: string;
  readonly confined: boolean;
  /** The root without its trailing slash: "" for "/". */
  readonly #prefix: string;

  /** `root` must exist; it is taken with its own links resolved. */
  constructor(root: string) {
    this.root = realpathSync.native(root);
    this.confined = this.root !== '/';
    this.#prefix = this.confined ? this.root : '';
  }

  async resolve(declared: string, options: ResolveOptions = {}): Promise<string> {
    if (!isValid(declared)) throw new AgentError('AGENT_PATH_INVALID', { detail: show(declared) });
    const followLast = options.followLast === true;
    return (followLast ? undefined : this.#direct(declared)) ?? this.#walk(declared, followLast);
  }

  declared(real: string): string {
    if (!this.confined) return real;
    if (real === this.root) return '/';
    if (real.startsWith(`${this.root}/`)) return real.slice(this.root.length);
    throw new AgentError('AGENT_PATH_ESCAPES_ROOT', { detail: real });
  }

  /** The common case in one call: a plain path whose parent exists and holds no link. */
  #direct(declared: string): string | undefined {
    if (/\/\.{0,2}(\/|$)/.test(declared)) return;
    const parent = this.#prefix + declared.slice(0, declared.lastIndexOf('/'));
    try {
      const real = realpathSync.native(parent === '' ? '/' : parent);
      return real === (parent === '' ? '/' : parent) ? this.#prefix + declared : undefined;
    } catch {
      return undefined;
    }
  }

  #walk(declared: string, followLast: boolean): string {
    const real: string[] = [];
    const pending = components(declared).reverse();
    let links = 0;
    for (let part = pending.pop(); part !== undefined; part = pending.pop()) {
      if (part === '..') {
        if (real.pop() === undefined && this.confined)
          throw new AgentError('AGENT_PATH_ESCAPES_ROOT', { detail: declared });
        continue;
      }
      real.push(part);
      if (pending.length === 0 && !followLast) break;
      const target = readLink(this.#join(real));
      if (target === undefined) continue;
      links += 1;
      if (links > linkLimit) throw new AgentError('AGENT_PATH_LOOP', { detail: declared });
      if (target.startsWith('/')) real.length = 0;
      else real.pop();
      pending.push(...components(target).reverse());
    }
    return this.#join(real);
  }

  #join(parts: readonly string[]): string {
    return parts.length === 0 ? this.root : `${this.#prefix}/${parts.join('/')}`;
  }
}

function isValid(path: string): boolean {
  return path.startsWith('/') && !path.includes('\0') && path.length <= pathBytesLimit;
}

function show(path: string): string {
  return JSON.stringify(path.slice(0, 200));
}

function components(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

/** The target of a link; undefined for anything else and for nothing. */
function readLink(path: string): string | undefined {
  try {
    const status = lstatSync(path, { throwIfNoEntry: false });
    return status?.isSymbolicLink() ? readlinkSync(path) : undefined;
  } catch (thrown) {
    const error = platformError('resolve', path, thrown);
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  }
}
