import type { StackOverview } from '../publish/stack/explain.ts';
import type { TreeDirectory, TreeFileKind } from './messages.ts';

/** The directories of a stack with what stands in them and what they inherit. */
export function stackTree(paths: readonly string[], overview: StackOverview): TreeDirectory[] {
  const directories = new Map<
    string,
    TreeDirectory & { files: TreeDirectory['files'][number][] }
  >();
  const open = (path: string) => {
    const known = directories.get(path);
    if (known) return known;
    const made = { path, files: [], inherits: [], entries: [] };
    directories.set(path, made);
    return made;
  };
  open('');
  for (const path of paths) {
    const parts = path.split('/').slice(0, -1);
    for (const [at] of parts.entries()) open(parts.slice(0, at + 1).join('/'));
    open(parts.join('/')).files.push({ path, kind: kindOf(path) });
  }
  const layers = paths.filter((path) => ['common', 'environments'].includes(kindOf(path)));
  return [...directories.values()]
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .map((directory) => ({
      ...directory,
      inherits: isLibrary(directory.path) ? [] : inherited(directory.path, layers),
      entries: overview.entries
        .filter(({ place }) => directoryOf(place.file) === directory.path)
        .map(({ index: _, ...entry }) => entry),
    }));
}

/** Of the directories above, outermost first: the paths are sorted. */
function inherited(directory: string, layers: readonly string[]): string[] {
  return layers.filter((layer) => {
    const parent = directoryOf(layer);
    return parent !== directory && (parent === '' || directory.startsWith(`${parent}/`));
  });
}

/** Modules, roles and templates stand for themselves. */
function isLibrary(directory: string): boolean {
  return ['modules', 'roles', 'templates'].includes(directory.split('/')[0] ?? '');
}

function directoryOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

function kindOf(path: string): TreeFileKind {
  const [top = '', ...rest] = path.split('/');
  const name = rest.at(-1) ?? top;
  if (rest.length > 0 && top === 'templates') return 'template';
  if (name === 'waivers.vgo') return 'waivers';
  if (rest.length > 0 && top === 'modules') return 'module';
  if (name === 'roles.vgo' || (rest.length > 0 && top === 'roles')) return 'roles';
  if (name === 'common.vgo') return 'common';
  return name === 'environments.vgo' || name === 'per_env_overrides.vgo'
    ? 'environments'
    : 'entries';
}
