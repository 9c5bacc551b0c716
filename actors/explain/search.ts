import picomatch from 'picomatch';
import type { StackOverview } from '../publish/stack/explain.ts';
import type { CompiledStack } from '../publish/stack/stack.ts';
import type { StackFiles } from '../publish/stack/stack-files.ts';
import type { SearchKind, SearchMatch } from './messages.ts';

/** Characters shown of a value or a line. */
const detailLimit = 200;
/** Entries between two pauses. */
const entriesPerPause = 10;

export interface SearchRequest {
  readonly pattern: string;
  readonly kinds: readonly SearchKind[];
  readonly limit: number;
}

/** At most one match more than `limit`, which then says that there are more. */
export async function searchStack(
  files: StackFiles,
  stack: CompiledStack,
  { pattern, kinds, limit }: SearchRequest,
  pause: () => Promise<void>,
): Promise<SearchMatch[]> {
  const fits = matcher(pattern);
  const found = new Map<string, SearchMatch>();
  const add = (match: SearchMatch) => {
    const { kind, name, place } = match;
    if (!kinds.includes(kind) || found.size > limit) return;
    const { file, line, column } = place;
    const key = [kind, name, file, line, column].join('\0');
    if (!found.has(key)) found.set(key, { ...match, detail: match.detail.slice(0, detailLimit) });
  };
  declared(stack.overview(), fits, add);
  if (kinds.includes('var')) await variables(stack, fits, add, pause);
  for (const [file, text] of files) {
    const place = { file, line: 1, column: 1 };
    if (fits(file)) add({ kind: 'file', name: file, place, detail: '' });
    if (kinds.includes('text')) lines(file, text, pattern, add);
  }
  return [...found.values()];
}

/** A glob when it has one's characters, else a part of the name; case does not matter. */
function matcher(pattern: string): (text: string) => boolean {
  const wanted = pattern.toLowerCase();
  if (!/[*?[\]{}]/.test(pattern)) return (text) => text.toLowerCase().includes(wanted);
  const glob = picomatch(wanted, { dot: true, bash: true, nonegate: true });
  return (text) => glob(text.toLowerCase());
}

type Add = (match: SearchMatch) => void;

function declared(overview: StackOverview, fits: (text: string) => boolean, add: Add): void {
  for (const { name, place, resources } of overview.modules) {
    if (fits(name)) add({ kind: 'module', name, place, detail: '' });
    for (const resource of resources) {
      const whole = `${name}/${resource.name}`;
      const match = { name: whole, place: resource.place, detail: resource.type };
      if (fits(resource.name) || fits(whole)) add({ ...match, kind: 'resource' });
      if (fits(resource.type)) add({ ...match, kind: 'type' });
    }
  }
  for (const { name, place, modules } of overview.roles) {
    if (fits(name)) add({ kind: 'role', name, place, detail: modules.join(', ') });
  }
  for (const { patterns, place, environment } of overview.entries) {
    const hit = patterns.some(fits) || (environment !== undefined && fits(environment));
    const name = patterns.join(', ');
    if (hit) add({ kind: 'entry', name, place, detail: environment ?? '' });
  }
}

/** Of every layer, also values that another one overrides; and those of modules that no entry has. */
async function variables(
  stack: CompiledStack,
  fits: (text: string) => boolean,
  add: Add,
  pause: () => Promise<void>,
): Promise<void> {
  const overview = stack.overview();
  for (const { vars } of overview.modules) {
    for (const { name, value, place } of vars) {
      const detail = JSON.stringify(value);
      if (fits(name)) add({ kind: 'var', name, place, detail, layer: 'module' });
    }
  }
  for (const { index } of overview.entries) {
    if (index % entriesPerPause === 0) await pause();
    for (const { vars } of stack.explain(index)?.modules ?? []) {
      for (const { name, overridden, ...strongest } of vars) {
        if (!fits(name)) continue;
        for (const { value, place, layer } of [strongest, ...overridden]) {
          add({ kind: 'var', name, place, detail: JSON.stringify(value), layer });
        }
      }
    }
  }
}

/** Lines that hold the pattern as it is. */
function lines(file: string, text: string, pattern: string, add: Add): void {
  for (const [at, line] of text.split('\n').entries()) {
    const column = line.indexOf(pattern) + 1;
    const place = { file, line: at + 1, column };
    if (column > 0) add({ kind: 'text', name: pattern, place, detail: line.trim() });
  }
}
