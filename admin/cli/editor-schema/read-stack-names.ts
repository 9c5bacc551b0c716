import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isAlias, isMap, isScalar, isSeq, type Node, parseDocument } from 'yaml';
import type { StackNames } from '../../../agent/policy/editor-schema/stack-names.ts';

/** Files that are looked at; more are no stack, or a wrong directory. */
const fileLimit = 10_000;
const depthLimit = 12;

/** Reads the names that the files of a stack declare. Files with mistakes give what they can. */
export function readStackNames(directory: string): StackNames {
  const paths = [...filesBelow(directory, '', 0)].slice(0, fileLimit);
  const reader = new NameReader();
  for (const path of paths) {
    if (path.startsWith('templates/')) reader.templates.add(path);
    else if (path.endsWith('.vgo')) reader.file(path, readFileSync(join(directory, path), 'utf8'));
  }
  return reader.names();
}

function* filesBelow(root: string, path: string, depth: number): Generator<string> {
  if (depth > depthLimit) return;
  const entries = readdirSync(join(root, path), { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.')) continue;
    const inner = path === '' ? entry.name : `${path}/${entry.name}`;
    if (entry.isDirectory()) yield* filesBelow(root, inner, depth + 1);
    else if (entry.isFile()) yield inner;
  }
}

class NameReader {
  readonly templates = new Set<string>();
  readonly #modules = new Map<string, number>();
  readonly #roles = new Map<string, number>();
  readonly #environments = new Map<string, number>();
  readonly #overridden = new Set<string>();
  readonly #collections = new Set<string>();
  readonly #twice = new Map<string, string[]>();
  readonly #variables = new Set<string>();
  readonly #resources = new Set<string>();
  readonly #graph = new Map<string, readonly string[]>();

  file(path: string, text: string): void {
    const root = parseDocument(text, { uniqueKeys: false, logLevel: 'silent' }).contents;
    const name = basename(path);
    // An environment may be said once per directory.
    const directory = path.slice(0, -name.length);
    if (path.startsWith('modules/')) this.#module(root, name.replace(/\.vgo$/, ''));
    else if (name === 'roles.vgo' || path.startsWith('roles/'))
      this.#roleFile(root, name.replace(/\.vgo$/, ''));
    else if (name === 'environments.vgo' || name === 'per_env_overrides.vgo') {
      for (const [environment, overrides] of pairs(member(root, 'env'))) {
        count(this.#environments, `${directory}${environment}`);
        this.#vars(overrides);
      }
    } else if (path.startsWith('vars/')) this.#varsFile(root);
    else if (name === 'common.vgo') this.#vars(root);
    else this.#entries(root);
  }

  names(): StackNames {
    return {
      modules: [...this.#modules.keys()],
      roles: [...this.#roles.keys()],
      environments: [
        ...this.#overridden,
        ...[...this.#environments.keys()].map((path) => basename(path)),
      ],
      environmentsDeclaredTwice: twice(this.#environments).map((path) => basename(path)),
      collections: [...this.#collections],
      resourcesDeclaredTwice: this.#twice,
      templates: [...this.templates],
      variables: [...this.#variables],
      resources: [...this.#resources],
      modulesDeclaredTwice: twice(this.#modules),
      rolesDeclaredTwice: twice(this.#roles),
      dependents: dependents(this.#graph),
    };
  }

  #module(root: Node | null, fileName: string): void {
    const name = text(member(root, 'name')) ?? text(member(root, 'configcrate')) ?? fileName;
    count(this.#modules, name);
    this.#graph.set(name, texts(member(root, 'depends_on')));
    this.#vars(root);
    for (const [environment, overrides] of pairs(member(root, 'environment_overrides'))) {
      this.#overridden.add(environment);
      this.#vars(overrides);
    }
    const counts = new Map<string, number>();
    for (const resource of items(member(root, 'resources'))) {
      const own = text(member(resource, 'name'));
      if (own === undefined) continue;
      count(counts, own);
      this.#resources.add(own);
      this.#resources.add(`${name}/${own}`);
    }
    if (twice(counts).length > 0) this.#twice.set(name, twice(counts));
  }

  #roleFile(root: Node | null, fileName: string): void {
    for (const role of items(member(root, 'roles') ?? root)) {
      const name = text(member(role, 'name')) ?? (role === root ? fileName : undefined);
      if (name !== undefined) count(this.#roles, name);
    }
  }

  #entries(root: Node | null): void {
    const lists = ['envoys', 'nodes'].flatMap((key) => items(member(root, key)));
    for (const entry of lists.length > 0 ? lists : items(root)) this.#vars(entry);
  }

  #vars(of: Node | null): void {
    this.#declare(member(of, 'vars'));
    for (const conditional of items(member(of, 'conditional_vars'))) {
      this.#declare(member(conditional, 'vars'));
    }
  }

  #varsFile(root: Node | null): void {
    const inner = member(root, 'vars');
    this.#declare(isMap(inner) && pairs(root).length === 1 ? inner : root);
  }

  #declare(vars: Node | null): void {
    for (const [name, value] of pairs(vars)) {
      this.#variables.add(name);
      if (isSeq(value) || isMap(value) || isAlias(value)) this.#collections.add(name);
    }
  }
}

function member(node: Node | null, key: string): Node | null {
  return isMap(node) ? ((node.get(key, true) as Node | undefined) ?? null) : null;
}

function pairs(node: Node | null): [string, Node | null][] {
  if (!isMap(node)) return [];
  return node.items.map(({ key, value }) => [
    isScalar(key) ? String(key.value) : '',
    value as Node | null,
  ]);
}

function items(node: Node | null): readonly Node[] {
  if (isSeq(node)) return node.items as Node[];
  return node === null || isScalar(node) ? [] : [node];
}

function text(node: Node | null): string | undefined {
  return isScalar(node) && node.value !== null ? String(node.value) : undefined;
}

function texts(node: Node | null): string[] {
  const list = isSeq(node) ? (node.items as Node[]) : [node];
  return list.map(text).filter((value) => value !== undefined);
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function twice(counts: ReadonlyMap<string, number>): string[] {
  return [...counts].filter(([, number]) => number > 1).map(([name]) => name);
}

/** Name -> itself and all that depend on it, directly or not. */
function dependents(graph: ReadonlyMap<string, readonly string[]>): Map<string, string[]> {
  const direct = new Map<string, string[]>();
  for (const [name, wanted] of graph) {
    for (const one of wanted) direct.set(one, [...(direct.get(one) ?? []), name]);
  }
  const found = new Map<string, string[]>();
  for (const name of graph.keys()) {
    const reached = new Set([name]);
    for (const one of reached) for (const next of direct.get(one) ?? []) reached.add(next);
    found.set(name, [...reached]);
  }
  return found;
}
