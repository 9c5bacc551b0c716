import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const project = new URL('../..', import.meta.url).pathname;

export interface Source {
  /** Relative to the project. */
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
}

/** Every TypeScript file that git tracks or would track, without generated code. */
export function sources(): Source[] {
  const listed = execFileSync(
    'git',
    ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts'],
    { cwd: project, encoding: 'utf8' },
  );
  return listed
    .split('\n')
    .filter((path) => path !== '' && !path.includes('/gen/') && existsSync(join(project, path)))
    .map((path) => {
      const text = readFileSync(join(project, path), 'utf8');
      return { path, text, lines: text.split('\n') };
    });
}

export interface Import {
  readonly specifier: string;
  /** Project-relative path of a relative import. */
  readonly target: string | undefined;
  readonly typeOnly: boolean;
  readonly line: number;
}

const importPattern =
  /^\s*(?:import|export)\s+(type\s+)?(?:[\w*{][^'";]*?\s+from\s+)?['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)/gm;

export function importsOf(source: { path: string; text: string }): Import[] {
  return [...source.text.matchAll(importPattern)].map((match) => {
    const specifier = match[2] ?? match[3] ?? '';
    const relative = specifier.startsWith('.');
    return {
      specifier,
      target: relative ? normalize(join(dirname(source.path), specifier)) : undefined,
      typeOnly: match[1] !== undefined,
      line: source.text.slice(0, match.index).split('\n').length,
    };
  });
}

/** Everything that running `entry` loads: project files and npm packages, type-only imports left out. */
export function reachable(entry: string): { files: Set<string>; packages: Set<string> } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const waiting = [entry];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (files.has(path) || !existsSync(join(project, path))) continue;
    files.add(path);
    const text = readFileSync(join(project, path), 'utf8');
    for (const found of importsOf({ path, text })) {
      if (found.typeOnly) continue;
      if (found.target !== undefined) waiting.push(found.target);
      else packages.add(found.specifier);
    }
  }
  return { files, packages };
}
