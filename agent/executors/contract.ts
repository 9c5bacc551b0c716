import type { Platform } from '../platform/platform.ts';
import type { ParameterSpec } from '../policy/resource-schemas/parameter-spec.ts';
import type { PolicyValue } from '../protocol/bundle.ts';

/** What a resource did, or would do. */
export type Action = 'none' | 'created' | 'updated' | 'deleted' | 'skipped' | 'blocked' | 'failed';

/**
 * One resource type. The engine calls, per pass: parse -> observe -> compare; when compare finds
 * drift and this is no dry run: apply -> observe -> compare again (verify). `observe` and `compare`
 * never change anything, so a dry run is the same code with `apply` left out.
 *
 * Spec: the parsed parameters. State: what was observed.
 */
export interface ResourceType<Spec, State> {
  readonly name: string;
  /** Names, kinds, defaults and documentation; source of validation and reference pages. */
  readonly parameters: readonly ParameterSpec[];
  /**
   * True when the type touches only paths that it resolves through `platform.paths`, so that it may
   * run in a confined root.
   */
  readonly confinable: boolean;
  /** Ceiling for one resource of this type, milliseconds; its processes are killed after it. */
  readonly timeoutMs: number;
  /** Where a spec can declare its own ceiling. */
  timeoutOf?(spec: Spec): number;
  /**
   * Parameters that may name a template file of the bundle, and the parameter that gets its rendered
   * text instead. A value that names none is left as it is.
   */
  readonly templateParameters?: Readonly<Record<string, string>>;
  /** Turns rendered parameters into a spec. Throws ParameterError naming every bad parameter. */
  parse(parameters: Readonly<Record<string, PolicyValue>>): Spec;
  /**
   * Reads the present state, cheaply: no network, no refresh, no fork where a file tells. May be
   * called ahead of its turn and again, so it must not change anything.
   */
  observe(spec: Spec, context: ResourceContext): Promise<State>;
  /** Pure: the difference between spec and state. */
  compare(spec: Spec, state: State, context: CompareContext): Drift;
  /** Repairs the drift. Interrupted at any point, the next pass must end right. */
  apply(
    spec: Spec,
    state: State,
    drift: Drift & { action: 'created' | 'updated' | 'deleted' },
    context: ResourceContext,
  ): Promise<void>;
  /** False for one-shot effects (restart, exec) whose state after the act tells nothing. Default true. */
  readonly verifiable?: boolean;
  /**
   * For a dry run of a type that is not confinable, whose apply therefore never runs in one: what the
   * act would come to. Writes what later resources look at to `foresight.platform`, whose files are in
   * memory; starts no process. Returns the drift that is to be predicted; throws what apply would.
   */
  foresee?(spec: Spec, state: State, drift: Drift, foresight: Foresight): Promise<Drift>;
  /** True when foresee writes everything of its act that other resources look at. Default false. */
  readonly foreseesAll?: boolean;
  /** Absolute paths, packages and services that the spec would touch, for the guardrails. */
  targets(spec: Spec): readonly Target[];
}

export interface CompareContext {
  /** The resource was triggered by notify or subscribes in this pass. */
  readonly triggered: boolean;
}

export interface ResourceContext extends CompareContext {
  readonly platform: Platform;
  /** Aborted at the time limit and when the agent stops. */
  readonly signal: AbortSignal;
  /** Keeps the old content of `path` before it is overwritten (bounded number per file). */
  snapshot(path: string): Promise<void>;
}

export interface Drift {
  /** 'none' = as declared; 'skipped' = a guard said no. */
  readonly action: 'none' | 'created' | 'updated' | 'deleted' | 'skipped';
  /** One line for a person. */
  readonly reason: string;
  /** Unified diff or attribute changes; never a secret. */
  readonly diff?: string;
}

/** What a dry run knows when it has to tell what an act would come to. */
export interface Foresight {
  /** The node as the dry run sees it. */
  readonly platform: Platform;
  /** Types of the resources before this one whose processes would bring what cannot be known. */
  readonly broughtBy: readonly string[];
}

/** A type as the registry holds it: its spec and state are its own affair. */
export type AnyResourceType = ResourceType<unknown, unknown>;

export interface Target {
  readonly kind: 'path' | 'package' | 'service' | 'command' | 'account' | 'traffic';
  readonly value: string;
  /** What would be done to it: removing is refused where using is not. */
  readonly effect: 'write' | 'remove' | 'run' | 'stop';
  /**
   * What is mounted there stays untouched elsewhere: a mount covers or uncovers the place alone, so
   * the other names that its content has do not count.
   */
  readonly placeOnly?: true;
}
