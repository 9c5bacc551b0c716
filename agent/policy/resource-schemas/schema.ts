import type { Target } from '../../executors/contract.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import type { FormatName } from './formats.ts';
import type { ParameterSpec, PlatformName } from './parameter-spec.ts';

export type { ParameterSpec } from './parameter-spec.ts';

export type Parameters = Readonly<Record<string, PolicyValue>>;

/**
 * What publish knows of a resource type: data only, so that the server checks policy without the
 * executors. The executor of the type uses the same table.
 */
export interface ResourceSchema {
  readonly name: string;
  /** One sentence: what a resource of this type keeps as it should be. */
  readonly summary?: string;
  /** Further sentences for the reference page; each is a paragraph. */
  readonly notes?: readonly string[];
  readonly category?: Category;
  /** Where it works; all of them when unset. */
  readonly platforms?: readonly PlatformName[];
  /** Version of Vigo that brought it. */
  readonly since?: string;
  readonly examples?: readonly ResourceExample[];
  readonly parameters: readonly ParameterSpec[];
  /** Of each group at most one may be given. */
  readonly exclusive?: readonly (readonly string[])[];
  /** Of each group at least one must be given, whatever the state. */
  readonly oneOf?: readonly (readonly string[])[];
  /** Required unless `state` is "absent". */
  readonly requiredUnlessAbsent?: readonly string[];
  /** Required when another parameter has (by itself or by default) one of some values. */
  readonly requires?: readonly Requirement[];
  /** Forms that a parameter must have only with such a value of another one. */
  readonly forms?: readonly ConditionalForm[];
  /** An effect on every pass, unless one of these parameters or `when` holds it back. */
  readonly guards?: readonly string[];
  /** Values of `state` that act on every pass and so need `when: "changed"` or `subscribes`. */
  readonly oneShotStates?: readonly string[];
  /** What the resource would touch, for the guardrails. Values are the declared ones. */
  targets(parameters: Parameters): readonly Target[];
}

/** Chapters of the reference. */
export type Category =
  | 'files'
  | 'packages'
  | 'services'
  | 'accounts'
  | 'system'
  | 'network'
  | 'storage'
  | 'containers'
  | 'commands';

export interface Requirement {
  readonly when: { readonly parameter: string; readonly values: readonly string[] };
  /** All of these. */
  readonly needs: readonly string[];
}

export interface ConditionalForm {
  readonly when: Requirement['when'];
  readonly parameter: string;
  readonly format: FormatName;
}

/** Resources that publish accepts as the whole of a module. */
export interface ResourceExample {
  readonly title: string;
  readonly resources: readonly Readonly<Record<string, PolicyValue>>[];
  readonly vars?: Readonly<Record<string, PolicyValue>>;
}

/** The text of a scalar parameter, or undefined when it is absent or no scalar. */
export function text(parameters: Parameters, name: string): string | undefined {
  const value = parameters[name];
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return undefined;
}

/** A list parameter: a YAML list, or text separated by commas. */
export function list(parameters: Parameters, name: string): string[] {
  const value = parameters[name];
  if (Array.isArray(value)) return value.map((item) => String(item));
  const joined = text(parameters, name);
  if (joined === undefined) return [];
  return joined
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

export function isAbsent(parameters: Parameters): boolean {
  return text(parameters, 'state') === 'absent';
}

/** Targets of the path parameter `name`: written, or removed when the state is absent. */
export function pathTargets(parameters: Parameters, name = 'target_path'): Target[] {
  const value = text(parameters, name);
  if (value === undefined) return [];
  return [{ kind: 'path', value, effect: isAbsent(parameters) ? 'remove' : 'write' }];
}

export function commandTargets(parameters: Parameters, ...names: readonly string[]): Target[] {
  return names
    .map((name) => text(parameters, name))
    .filter((value) => value !== undefined)
    .map((value) => ({ kind: 'command', value, effect: 'run' }));
}

/** Targets of an account: another number takes it away from what it owns, as its end does. */
export function accountTargets(parameters: Parameters, name: string, number: string): Target[] {
  const value = text(parameters, name);
  if (value === undefined) return [];
  const moved = (text(parameters, number) ?? '0') !== '0';
  const effect = isAbsent(parameters) || moved ? 'remove' : 'write';
  return [{ kind: 'account', value, effect }];
}

/** What reaches everything below a path: a glob to the guardrails. */
export function treeTargets(path: string | undefined): Target[] {
  if (path === undefined || !path.startsWith('/')) return [];
  return [{ kind: 'path', value: `${path.replace(/\/+$/, '')}/**`, effect: 'write' }];
}

export const presence = {
  name: 'state',
  kind: 'enum',
  values: ['present', 'absent'],
  default: 'present',
  description: 'Whether it is to exist.',
} as const satisfies ParameterSpec;

export const ownership = [
  {
    name: 'owner',
    kind: 'string',
    format: 'account-or-id',
    description: 'User name or numeric id; unset leaves it.',
  },
  {
    name: 'group',
    kind: 'string',
    format: 'account-or-id',
    description: 'Group name or numeric id; unset leaves it.',
  },
] as const satisfies readonly ParameterSpec[];
