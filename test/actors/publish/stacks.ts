import { Diagnostics } from '../../../actors/publish/stack/diagnostics.ts';
import {
  type CompiledStack,
  type CompileOptions,
  compileStack,
} from '../../../actors/publish/stack/stack.ts';

/** Compiles a stack given as path -> text. */
export function compileFiles(
  files: Record<string, string>,
  options: CompileOptions = {},
): Promise<CompiledStack> {
  const diagnostics = new Diagnostics();
  const sorted = new Map(Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1)));
  for (const [path, text] of sorted) diagnostics.addFile(path, text);
  return compileStack(sorted, diagnostics, options);
}

/** A stack of one module `m` whose resources are `text`, for every host. */
export function oneModule(text: string, more: Record<string, string> = {}): Record<string, string> {
  return {
    'modules/m.vgo': `name: m\nresources:\n${text}`,
    'site.vgo': 'envoys:\n  - match: "*"\n    modules: [m]\n',
    ...more,
  };
}

/** Two lines per diagnostic: "file:line:column CODE" and "message (suggestion)". */
export function brief(stack: CompiledStack): string[] {
  return stack.result.diagnostics.flatMap(({ file, line, column, code, message, suggestion }) => [
    `${file}:${line}:${column} ${code}`,
    suggestion === undefined ? message : `${message} (${suggestion})`,
  ]);
}
