import {
  readCommon,
  readEntries,
  readEnvironments,
  readRoles,
  readVarsFile,
} from './assignment-reader.ts';
import { Diagnostics, type Place, type Reported } from './diagnostics.ts';
import type {
  Assignment,
  EntryDeclaration,
  ModuleDeclaration,
  RoleDeclaration,
  StackModel,
} from './model.ts';
import { readModule } from './module-reader.ts';
import type { StackNode } from './node.ts';
import type { Pause } from './pause.ts';
import { ShapeReader } from './shape.ts';
import type { StackFiles } from './stack-files.ts';
import { parseYamlFile } from './yaml-file.ts';

/** What one file declares. */
interface Declarations {
  readonly module?: ModuleDeclaration | undefined;
  readonly roles?: readonly RoleDeclaration[];
  readonly common?: Assignment | undefined;
  readonly vars?: Assignment | undefined;
  readonly environments?: ReadonlyMap<string, Assignment> | undefined;
  readonly entries?: readonly EntryDeclaration[];
}

interface ReadFile {
  readonly text: string;
  readonly declarations: Declarations;
  readonly findings: readonly Reported[];
  /** It is not known what it declares. */
  readonly broken: boolean;
}

/** Files as they were read, so that the next time only changed ones are. Holds those of one stack. */
export class FileCache {
  #files = new Map<string, ReadFile>();

  get(path: string, text: string): ReadFile | undefined {
    const known = this.#files.get(path);
    return known?.text === text ? known : undefined;
  }

  replace(files: Map<string, ReadFile>): void {
    this.#files = files;
  }
}

/** Reads every file of a stack into the model. Mistakes go to `diagnostics`; the rest is kept. */
export async function loadStack(
  files: StackFiles,
  diagnostics: Diagnostics,
  pause: Pause,
  cache: FileCache = new FileCache(),
): Promise<StackModel> {
  const loader = new Loader(diagnostics);
  const read = new Map<string, ReadFile>();
  for (const [path, text] of files) {
    if (path.startsWith('templates/')) {
      loader.templates.set(path, text);
      continue;
    }
    const file = cache.get(path, text) ?? readFile(path, text);
    read.set(path, file);
    diagnostics.include(file.findings);
    loader.add(path, file.declarations);
    if (file.broken) loader.miss(path, text);
    await pause();
  }
  cache.replace(read);
  return loader;
}

function readFile(path: string, text: string): ReadFile {
  const diagnostics = new Diagnostics();
  const fileName = path.slice(path.lastIndexOf('/') + 1);
  // Compliance waivers do not change what is enforced.
  const root = fileName === 'waivers.vgo' ? undefined : parseYamlFile(path, text, diagnostics);
  const shape = new ShapeReader(diagnostics);
  const declarations = root === undefined ? {} : readDeclarations(root, path, shape);
  const findings = diagnostics.take();
  return { text, declarations, findings, broken: root === undefined && findings.length > 0 };
}

function readDeclarations(root: StackNode, path: string, shape: ShapeReader): Declarations {
  const fileName = path.slice(path.lastIndexOf('/') + 1);
  const baseName = fileName.replace(/\.vgo$/, '');
  shape.checkName(baseName, { file: path, line: 1 });
  const top = path.split('/')[0]!;
  if (top === 'modules') return { module: readModule(root, fileName, shape) };
  if (fileName === 'roles.vgo') return { roles: readRoles(root, shape) };
  if (top === 'roles') return { roles: readRoles(root, shape, baseName) };
  if (top === 'vars') return { vars: readVarsFile(root, shape) };
  if (fileName === 'common.vgo') return { common: readCommon(root, shape) };
  if (fileName === 'environments.vgo' || fileName === 'per_env_overrides.vgo') {
    return { environments: readEnvironments(root, shape) };
  }
  return { entries: readEntries(root, directoryOf(path), shape) };
}

class Loader implements StackModel {
  readonly modules = new Map<string, ModuleDeclaration>();
  readonly roles = new Map<string, RoleDeclaration>();
  readonly entries: EntryDeclaration[] = [];
  readonly commons = new Map<string, readonly Assignment[]>();
  readonly environments = new Map<string, ReadonlyMap<string, Assignment>>();
  readonly templates = new Map<string, string>();
  readonly unread = { modules: new Set<string>(), roles: false };
  readonly #varsFiles: Assignment[] = [];
  readonly #diagnostics: Diagnostics;

  constructor(diagnostics: Diagnostics) {
    this.#diagnostics = diagnostics;
  }

  add(path: string, declarations: Declarations): void {
    const { module, roles, common, vars, environments, entries } = declarations;
    const directory = directoryOf(path);
    if (module !== undefined) this.#add(this.modules, 'module', module);
    for (const role of roles ?? []) this.#add(this.roles, 'role', role);
    if (common !== undefined) this.#inherit(directory, common);
    if (vars !== undefined) this.#addVarsFile(vars);
    if (environments !== undefined) this.#addEnvironments(directory, environments);
    this.entries.push(...(entries ?? []));
  }

  /** A file that could not be parsed. */
  miss(path: string, text: string): void {
    if (path.startsWith('modules/')) {
      const fileName = path.slice(path.lastIndexOf('/') + 1);
      this.unread.modules.add(fileName.replace(/\.vgo$/, ''));
      const named = /^(?:name|configcrate):[ \t]*["']?([^"'\n#]*?)["']?[ \t]*(?:#.*)?$/m.exec(text);
      if (named?.[1]) this.unread.modules.add(named[1]);
    } else if (path.startsWith('roles/') || path.endsWith('roles.vgo')) {
      this.unread.roles = true;
    }
  }

  #inherit(directory: string, common: Assignment): void {
    this.commons.set(directory, [...(this.commons.get(directory) ?? []), common]);
  }

  /** Variables of vars/ are weaker than those of the stack's common.vgo, and have no order. */
  #addVarsFile(vars: Assignment): void {
    for (const [name, place] of vars.vars.places) {
      const earlier = this.#varsFiles.find((file) => file.vars.places.has(name));
      if (earlier === undefined) continue;
      const first = earlier.vars.places.get(name)!;
      this.#diagnostics.report(place, {
        code: 'PUBLISH_CONTRADICTORY_OVERRIDE',
        message: `the variable "${name}" has a value in ${first.file} already`,
        related: [{ place: first, message: 'the other value' }],
      });
    }
    this.#varsFiles.push(vars);
    const others = (this.commons.get('') ?? []).filter((item) => !this.#varsFiles.includes(item));
    this.commons.set('', [...this.#varsFiles, ...others]);
  }

  #addEnvironments(directory: string, added: ReadonlyMap<string, Assignment>): void {
    const known = new Map(this.environments.get(directory));
    for (const [name, assignment] of added) {
      const first = known.get(name);
      if (first === undefined) known.set(name, assignment);
      else this.#duplicate('environment', name, assignment.place, first.place);
    }
    this.environments.set(directory, known);
  }

  #add<T extends { readonly name: string; readonly place: Place }>(
    known: Map<string, T>,
    what: string,
    added: T,
  ): void {
    const first = known.get(added.name);
    if (first === undefined) known.set(added.name, added);
    else this.#duplicate(what, added.name, added.place, first.place);
  }

  #duplicate(what: string, name: string, place: Place, first: Place): void {
    this.#diagnostics.report(place, {
      code: 'PUBLISH_DUPLICATE_NAME',
      message: `the ${what} "${name}" is declared in ${first.file} already`,
      related: [{ place: first, message: 'the first one' }],
    });
  }
}

function directoryOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash === -1 ? '' : path.slice(0, slash);
}

/** "a/b" -> "", "a", "a/b": where a file in the directory inherits from, outermost first. */
export function lineage(directory: string): string[] {
  if (directory === '') return [''];
  const parts = directory.split('/');
  return ['', ...parts.map((_, index) => parts.slice(0, index + 1).join('/'))];
}
