import type { ParameterSpec, Target } from '../../executors/contract.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';

/** The server may import this room, and not the executors. */
export type { ParameterSpec };

export type Parameters = Readonly<Record<string, PolicyValue>>;

/**
 * What publish knows of a resource type: data only, so that the server checks policy without the
 * executors. The executor of the type uses the same table.
 */
export interface ResourceSchema {
  readonly name: string;
  readonly parameters: readonly ParameterSpec[];
  /** Of each group at most one may be given. */
  readonly exclusive?: readonly (readonly string[])[];
  /** Of each group at least one must be given, unless `state` is "absent". */
  readonly oneOf?: readonly (readonly string[])[];
  /** Required unless `state` is "absent". */
  readonly requiredUnlessAbsent?: readonly string[];
  /** An effect on every pass, unless one of these parameters or `when` holds it back. */
  readonly guards?: readonly string[];
  /** Values of `state` that act on every pass and so need `when: "changed"` or `subscribes`. */
  readonly oneShotStates?: readonly string[];
  /** What the resource would touch, for the guardrails. Values are the declared ones. */
  targets(parameters: Parameters): readonly Target[];
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

export const presence: ParameterSpec = {
  name: 'state',
  kind: 'enum',
  values: ['present', 'absent'],
  default: 'present',
  description: 'Whether it is to exist.',
};

export const ownership: readonly ParameterSpec[] = [
  { name: 'owner', kind: 'string', description: 'User name or numeric id; unset leaves it.' },
  { name: 'group', kind: 'string', description: 'Group name or numeric id; unset leaves it.' },
];
