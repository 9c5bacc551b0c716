import { type GuardLayout, standardLayout } from '../../../agent/policy/guardrails.ts';
import type { BundleDocument } from '../../../agent/protocol/bundle.ts';
import type { ValidationResult } from '../messages.ts';
import { checkEntries } from './check-entries.ts';
import { checkNames } from './check-names.ts';
import { checkResources } from './check-resource.ts';
import { Compiler } from './compile.ts';
import type { Diagnostics } from './diagnostics.ts';
import { loadStack } from './load.ts';
import { type Pause, pauseEvery } from './pause.ts';
import { entryMatcher, resolveEntry } from './resolve.ts';
import type { StackFiles } from './stack-files.ts';

/** Files or modules between two pauses: some ten milliseconds of work. */
const modulesPerPause = 10;

/** A stack that was read, checked and compiled. Complete when the diagnostics have no error. */
export interface CompiledStack {
  readonly result: ValidationResult;
  /** One per entry. */
  readonly documents: readonly BundleDocument[];
  /** The globs of each entry, in the order in which they are tried. */
  readonly patterns: readonly (readonly string[])[];
  /** Index of the entry that a host name gets, or undefined: the empty bundle. */
  match(hostname: string): number | undefined;
}

export interface CompileOptions {
  readonly layout?: GuardLayout;
  /** Lets other actors of the thread have their turn; called every few files and modules. */
  readonly pause?: Pause;
}

/** Reads, checks and compiles all files of a stack; every mistake is in the result. */
export async function compileStack(
  files: StackFiles,
  diagnostics: Diagnostics,
  options: CompileOptions = {},
): Promise<CompiledStack> {
  const pause = pauseEvery(modulesPerPause, options.pause ?? (async () => undefined));
  const model = await loadStack(files, diagnostics, pause);
  checkNames(model, diagnostics);
  await checkResources(model, diagnostics, pause);
  checkEntries(model, diagnostics);
  const documents: BundleDocument[] = [];
  const cyclic = diagnostics.list().some(({ code }) => code === 'PUBLISH_CYCLE');
  const compiler = new Compiler(model, diagnostics, options.layout ?? standardLayout);
  for (const entry of cyclic ? [] : model.entries) {
    documents.push(await compiler.compile(resolveEntry(model, entry), pause));
  }
  const modules = [...model.modules.values()];
  const result: ValidationResult = {
    diagnostics: diagnostics.list(),
    modules: modules.length,
    resources: modules.reduce((sum, module) => sum + module.resources.length, 0),
    entries: model.entries.length,
  };
  const patterns = model.entries.map(({ match }) => match.map(({ name }) => name));
  return { result, documents, patterns, match: entryMatcher(model.entries) };
}
