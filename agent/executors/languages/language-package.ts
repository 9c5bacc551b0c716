import { AgentError } from '../../errors.ts';
import { runTool } from '../../platform/command.ts';
import { type FailureCauses, packageFailure } from '../../platform/packages/package-failure.ts';
import type { Platform, RunResult } from '../../platform/platform.ts';
import type { ParameterSpec } from '../../policy/resource-schemas/parameter-spec.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import type { Drift, ResourceContext, ResourceType, Target } from '../contract.ts';
import { changeAndTell, observePending, type Pending } from '../cross/pending.ts';
import type { ParameterReader } from '../parameters.ts';

/** A package of a programming language's own package manager. */
export interface LanguagePackage {
  readonly name: string;
  readonly state: 'present' | 'latest' | 'absent';
  readonly version: string | undefined;
  /** URL of the index; undefined for the manager's own. */
  readonly source: string | undefined;
  readonly extraArgs: readonly string[];
  /** Name or absolute path of the manager. */
  readonly program: string;
}

/** What lies on the disk. */
export interface Installed {
  /** Every version; most managers know one. */
  readonly versions: readonly string[];
  /** An installation that did not come to its end. */
  readonly broken: boolean;
}

export interface LanguagePackageState extends Installed {
  /** By the index; only asked for state latest. */
  readonly newest: string | undefined;
  readonly pending: Pending;
}

/** What one manager does its own way. */
export interface LanguageManager<Spec extends LanguagePackage> {
  readonly name: string;
  readonly parameters: readonly ParameterSpec[];
  parse(values: Readonly<Record<string, PolicyValue>>): Spec;
  /** Where it is installed to: tells resources of one name apart. */
  place(spec: Spec): string;
  /** Reads files only. */
  installed(spec: Spec, platform: Platform): Promise<Installed>;
  /** Asks the index. */
  newest(spec: Spec, context: ResourceContext): Promise<string>;
  /** `force`: what is there is not whole. */
  install(
    spec: Spec,
    wanted: { readonly version: string | undefined; readonly force: boolean },
    context: ResourceContext,
  ): Promise<void>;
  remove(spec: Spec, context: ResourceContext): Promise<void>;
  targets(spec: Spec): readonly Target[];
}

const ceilingMs = 1_800_000;

/** A package type of one language. Looking reads directories; only `latest` asks the index. */
export function languagePackageType<Spec extends LanguagePackage>(
  manager: LanguageManager<Spec>,
): ResourceType<Spec, LanguagePackageState> {
  return {
    name: manager.name,
    parameters: manager.parameters,
    confinable: false,
    timeoutMs: ceilingMs,
    parse: (values) => manager.parse(values),
    observe: (spec, context) => observe(manager, spec, context),
    compare,
    apply: async (spec, state, _drift, context) => {
      const change = () =>
        spec.state === 'absent'
          ? manager.remove(spec, context)
          : manager.install(
              spec,
              {
                version: spec.version ?? state.newest,
                force: state.broken || state.pending.exists,
              },
              context,
            );
      await changeAndTell(state.pending, context.platform, change, async () => undefined);
    },
    targets: (spec) => manager.targets(spec),
  };
}

async function observe<Spec extends LanguagePackage>(
  manager: LanguageManager<Spec>,
  spec: Spec,
  context: ResourceContext,
): Promise<LanguagePackageState> {
  const { platform } = context;
  const note = `${manager.name} ${manager.place(spec)} ${spec.name}`;
  const installed = await manager.installed(spec, platform);
  // What is not there is installed at its newest anyway.
  const asks = spec.state === 'latest' && installed.versions.length > 0;
  return {
    ...installed,
    pending: await observePending(note, platform),
    newest: asks
      ? await recently(`${note} ${spec.source ?? ''}`, platform, () =>
          manager.newest(spec, context),
        )
      : undefined,
  };
}

function compare(spec: LanguagePackage, state: LanguagePackageState): Drift {
  const { name, version } = spec;
  const { versions, broken, pending, newest } = state;
  const has = (one: string) => versions.some((installed) => sameVersion(installed, one));
  const shown = versions.join(', ');
  if (spec.state === 'absent') {
    const there = version === undefined ? versions.length > 0 || broken : has(version);
    if (!there) return { action: 'none', reason: 'absent as declared' };
    return {
      action: 'deleted',
      reason: `${name} ${shown} is installed`,
      diff: `${name}: ${version ?? shown} -> (none)`,
    };
  }
  const wanted = version ?? newest;
  const diff = `${name}: ${shown === '' ? '(none)' : shown} -> ${wanted ?? 'newest'}`;
  if (broken || (pending.exists && versions.length > 0))
    return { action: 'updated', reason: `the installation of ${name} was interrupted`, diff };
  if (versions.length === 0) return { action: 'created', reason: `${name} is not installed`, diff };
  if (wanted !== undefined && !has(wanted))
    return { action: 'updated', reason: `${name} is ${shown}, not ${wanted}`, diff };
  return { action: 'none', reason: `${name} is ${shown}` };
}

/** Zeros at the end of a release tell nothing: 1.0 is 1.0.0. */
export function sameVersion(one: string, other: string): boolean {
  return normalised(one) === normalised(other);
}

function normalised(version: string): string {
  const release = /^\d+(?:\.\d+)*/.exec(version)?.[0] ?? '';
  const rest = version.slice(release.length).toLowerCase().replaceAll('_', '.');
  return release.replace(/(?:\.0+)+$/, '') + rest;
}

/** So long an answer of an index counts: passes are far more frequent than releases. */
const freshMs = 300_000;
const answerLimit = 1000;

interface Answer {
  readonly at: number;
  readonly version: string;
}

const answers = new WeakMap<Platform, Map<string, Answer>>();

async function recently(
  question: string,
  platform: Platform,
  ask: () => Promise<string>,
): Promise<string> {
  const known = answers.get(platform) ?? new Map<string, Answer>();
  answers.set(platform, known);
  const now = platform.clock.monotonicMs();
  const answer = known.get(question);
  if (answer !== undefined && now - answer.at < freshMs) return answer.version;
  const version = await ask();
  if (known.size >= answerLimit) known.clear();
  known.set(question, { at: now, version });
  return version;
}

/** The parameters that every manager has. `name`, `program`: already read. */
export function readLanguagePackage(
  reader: ParameterReader,
  name: string,
  program: string,
): LanguagePackage {
  const state = reader.enumeration('state', ['present', 'latest', 'absent']) ?? 'present';
  const version = reader.text('version');
  if (state === 'latest' && version !== undefined)
    reader.problem('version', 'does not go with state latest');
  const source = reader.text('source');
  return { name, state, version, source, extraArgs: reader.list('extra_args') ?? [], program };
}

const programPath = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** Declared path of a program, found as the tools' environment finds it. */
export async function findProgram(
  program: string,
  { files, paths }: Platform,
): Promise<string | undefined> {
  const places = program.startsWith('/')
    ? [program]
    : programPath.map((directory) => `${directory}/${program}`);
  for (const place of places) {
    const status = await files.status(await paths.resolve(place, { followLast: true }));
    if (status?.kind === 'file') return place;
  }
  return undefined;
}

export interface ManagerRun {
  readonly causes: FailureCauses;
  /** Lines of output that tell the trouble. */
  readonly complaint: RegExp;
  readonly environment?: Readonly<Record<string, string>>;
}

const outputLimit = 4 * 1024 * 1024;

/** Runs a manager that must succeed. */
export async function runManager(
  argv: readonly [string, ...string[]],
  { causes, complaint, environment = {} }: ManagerRun,
  context: ResourceContext,
): Promise<RunResult> {
  const result = await runTool(context.platform, argv, {
    environment,
    timeoutMs: ceilingMs,
    signal: context.signal,
    outputLimit,
  });
  if (result.exitCode !== 0) throw packageFailure(result, causes, complaint);
  return result;
}

/** @throws {AgentError} AGENT_PACKAGE_UNKNOWN: the index told no version. */
export function toldVersion(name: string, version: unknown): string {
  if (typeof version === 'string' && /^[0-9A-Za-z.!+_-]{1,100}$/.test(version)) return version;
  throw new AgentError('AGENT_PACKAGE_UNKNOWN', { detail: `the index has no version of ${name}` });
}
