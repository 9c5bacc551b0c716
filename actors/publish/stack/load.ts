import { readCommon, readEntries, readEnvironments, readRoles } from './assignment-reader.ts';
import type { Diagnostics, Place } from './diagnostics.ts';
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

/** Reads every file of a stack into the model. Mistakes go to `diagnostics`; the rest is kept. */
export async function loadStack(
  files: StackFiles,
  diagnostics: Diagnostics,
  pause: Pause,
): Promise<StackModel> {
  const loader = new Loader(diagnostics);
  for (const [path, text] of files) {
    loader.load(path, text);
    await pause();
  }
  return loader;
}

class Loader implements StackModel {
  readonly modules = new Map<string, ModuleDeclaration>();
  readonly roles = new Map<string, RoleDeclaration>();
  readonly entries: EntryDeclaration[] = [];
  readonly commons = new Map<string, Assignment>();
  readonly environments = new Map<string, ReadonlyMap<string, Assignment>>();
  readonly templates = new Map<string, string>();
  readonly #shape: ShapeReader;

  constructor(diagnostics: Diagnostics) {
    this.#shape = new ShapeReader(diagnostics);
  }

  load(path: string, text: string): void {
    const slash = path.lastIndexOf('/');
    const directory = slash === -1 ? '' : path.slice(0, slash);
    const fileName = path.slice(slash + 1);
    const top = path.split('/')[0]!;
    if (top === 'templates') {
      this.templates.set(path, text);
      return;
    }
    // Compliance waivers do not change what is enforced.
    if (fileName === 'waivers.vgo') return;
    const root = parseYamlFile(path, text, this.#shape.diagnostics);
    if (root !== undefined) this.#file(root, top, directory, fileName);
  }

  #file(root: StackNode, top: string, directory: string, fileName: string): void {
    const shape = this.#shape;
    if (top === 'modules') {
      const module = readModule(root, fileName, shape);
      if (module !== undefined) this.#add(this.modules, 'module', module);
    } else if (fileName === 'roles.vgo' || top === 'roles') {
      for (const role of readRoles(root, shape)) this.#add(this.roles, 'role', role);
    } else if (fileName === 'common.vgo') {
      const common = readCommon(root, shape);
      if (common !== undefined) this.commons.set(directory, common);
    } else if (fileName === 'environments.vgo' || fileName === 'per_env_overrides.vgo') {
      const environments = readEnvironments(root, shape);
      const known = this.environments.get(directory) ?? [];
      this.environments.set(directory, new Map([...known, ...(environments ?? [])]));
    } else {
      this.entries.push(...readEntries(root, directory, shape));
    }
  }

  #add<T extends { readonly name: string; readonly place: Place }>(
    known: Map<string, T>,
    what: string,
    added: T,
  ): void {
    const first = known.get(added.name);
    if (first === undefined) {
      known.set(added.name, added);
      return;
    }
    const message = `the ${what} "${added.name}" is declared in ${first.place.file} already`;
    this.#shape.diagnostics.report(added.place, { code: 'PUBLISH_DUPLICATE_NAME', message });
  }
}

/** "a/b" -> "", "a", "a/b": where a file in the directory inherits from, outermost first. */
export function lineage(directory: string): string[] {
  if (directory === '') return [''];
  const parts = directory.split('/');
  return ['', ...parts.map((_, index) => parts.slice(0, index + 1).join('/'))];
}
