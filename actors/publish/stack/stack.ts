import { type GuardLayout, standardLayout } from '../../../agent/policy/guardrails.ts';
import type { BundleDocument } from '../../../agent/protocol/bundle.ts';
import type { ValidationResult } from '../messages.ts';
import { checkConflicts } from './check-conflicts.ts';
import { checkEntries } from './check-entries.ts';
import { checkNames } from './check-names.ts';
import { checkResources } from './check-resource.ts';
import { checkUrls, type UrlCheck } from './check-urls.ts';
import { type CompiledEntry, Compiler } from './compile.ts';
import { CompileCache } from './compile-cache.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { EntryExplanation, HostExplanation, StackOverview } from './explain.ts';
import { Explainer } from './explainer.ts';
import { loadStack } from './load.ts';
import { firstMatch } from './match.ts';
import type { StackModel } from './model.ts';
import { type Pause, pauseEvery } from './pause.ts';
import { Resolver } from './resolve.ts';
import type { StackFiles } from './stack-files.ts';

export { CompileCache } from './compile-cache.ts';

/** Files or modules between two pauses: some ten milliseconds of work. */
const modulesPerPause = 10;

/** A stack that was read, checked and compiled. Complete when the diagnostics have no error. */
export interface CompiledStack {
  readonly result: ValidationResult;
  /** One per entry; entries that resolve alike share one object. Empty when modules wait in a circle. */
  readonly documents: readonly BundleDocument[];
  /** The globs of each entry, in the order in which they are tried. */
  readonly patterns: readonly (readonly string[])[];
  /** Index of the entry that a host name gets, or undefined: the empty bundle. */
  match(hostname: string): number | undefined;
  /** Where everything of an entry comes from; `entry` is an index of `documents`. */
  explain(entry: number): EntryExplanation | undefined;
  explainHost(hostname: string): HostExplanation;
  overview(): StackOverview;
}

export interface CompileOptions {
  readonly layout?: GuardLayout;
  /** Lets other actors of the thread have their turn; called every few files and modules. */
  readonly pause?: Pause;
  /** Keep one and give it again: only what changed since is done again. */
  readonly cache?: CompileCache;
  /** Asks whether URLs answer; absent (--offline): they are not asked. */
  readonly urls?: UrlCheck;
  /** Further checks of what the stack declares. */
  readonly checks?: readonly StackCheck[];
}

/** Reports to `diagnostics` what is wrong beyond what the stack itself can tell. */
export type StackCheck = (model: StackModel, diagnostics: Diagnostics) => Promise<void>;

/** Reads, checks and compiles all files of a stack; every mistake is in the result. */
export async function compileStack(
  files: StackFiles,
  diagnostics: Diagnostics,
  options: CompileOptions = {},
): Promise<CompiledStack> {
  const pause = pauseEvery(modulesPerPause, options.pause ?? (async () => undefined));
  const cache = options.cache ?? new CompileCache();
  const model = await loadStack(files, diagnostics, pause, cache.files);
  checkNames(model, diagnostics);
  await checkResources(model, diagnostics, pause, cache.checks);
  checkEntries(model, diagnostics);
  for (const check of options.checks ?? []) await check(model, diagnostics);
  const resolver = new Resolver(model);
  const compiler = new Compiler(model, diagnostics, options.layout ?? standardLayout, cache);
  const entries: CompiledEntry[] = [];
  // Modules that wait for each other have no order to compile them in.
  for (const entry of diagnostics.has('PUBLISH_CYCLE') ? [] : model.entries) {
    entries.push(await compiler.compile(resolver.resolve(entry), pause));
  }
  cache.settle();
  checkConflicts(
    entries.map((entry) => compiler.managed(entry)),
    diagnostics,
  );
  if (options.urls !== undefined) {
    await checkUrls(compiler.urls(entries), options.urls, diagnostics);
  }
  const modules = [...model.modules.values()];
  const result: ValidationResult = {
    diagnostics: diagnostics.list(),
    modules: modules.length,
    resources: modules.reduce((sum, module) => sum + module.resources.length, 0),
    entries: model.entries.length,
  };
  const patterns = model.entries.map(({ match }) => match.map(({ name }) => name));
  const explainer = new Explainer(model, resolver, entries, diagnostics);
  return {
    result,
    documents: entries.map(({ document }) => document),
    patterns,
    match: firstMatch(patterns),
    explain: (entry) => explainer.entry(entry),
    explainHost: (hostname) => explainer.host(hostname),
    overview: () => explainer.overview(),
  };
}
