import type { BundleDocument, BundleModule, PolicyValue } from '../../../agent/protocol/bundle.ts';
import type { Reported } from './diagnostics.ts';
import type { Expansion } from './expansion.ts';
import { FileCache } from './load.ts';
import type { ModuleDeclaration } from './model.ts';
import type { Reads } from './reads.ts';

/**
 * What one compilation leaves for the next, so that only what changed is done again: files as read,
 * modules as checked, expansions, modules of bundles, documents. What is equal is the same object,
 * also from one compilation to the next. Holds what the last compilation used, and no more.
 */
export class CompileCache {
  readonly files = new FileCache();
  /** Findings of a module by itself. */
  readonly checks = new WeakMap<ModuleDeclaration, readonly Reported[]>();
  readonly reads = new WeakMap<ModuleDeclaration, Reads>();
  readonly expansions = new Generations<Expansion>();
  readonly modules = new Generations<BundleModule>();
  readonly documents = new Generations<BundleDocument>();
  readonly #identities = new WeakMap<object, string>();
  #next = 0;

  /** Equal for the same object, and for equal scalars. */
  identity(value: PolicyValue | object | undefined): string {
    if (value === undefined || value === null || typeof value !== 'object') {
      return JSON.stringify(value) ?? '-';
    }
    let known = this.#identities.get(value);
    if (known === undefined) {
      this.#next += 1;
      known = `#${this.#next}`;
      this.#identities.set(value, known);
    }
    return known;
  }

  /** Ends a compilation: what it did not use is forgotten. */
  settle(): void {
    for (const kept of [this.expansions, this.modules, this.documents]) kept.settle();
  }
}

/** Values by key; those that were not asked for between two `settle()` are dropped. */
class Generations<T> {
  #former = new Map<string, T>();
  #current = new Map<string, T>();

  get(key: string): T | undefined {
    const known = this.#current.get(key) ?? this.#former.get(key);
    if (known !== undefined) this.#current.set(key, known);
    return known;
  }

  set(key: string, value: T): void {
    this.#current.set(key, value);
  }

  settle(): void {
    this.#former = this.#current;
    this.#current = new Map();
  }
}
