import { packageSchema } from '../../policy/resource-schemas/package.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import { controlCharacters, durationMs, ParameterReader } from '../parameters.ts';

export interface PackageSpec {
  readonly names: readonly string[];
  /** "*": every installed package. */
  readonly all: boolean;
  readonly state: 'present' | 'latest' | 'absent';
  readonly version: string | undefined;
  readonly allowDowngrade: boolean;
  readonly purge: boolean;
  readonly updateCache: boolean;
  readonly lockVersion: boolean;
  readonly postCleanup: boolean;
  readonly flags: readonly string[];
  readonly timeoutMs: number;
}

const nameLimit = 200;
const timeoutLimitMs = 4 * 3_600_000 - 60_000;

/** A name of any supported package manager, with an optional ":architecture"; never an option or glob. */
const namePattern = /^[A-Za-z0-9][A-Za-z0-9+._@/-]{0,199}(:[a-z0-9-]{1,20})?$/;
const versionPattern = /^[A-Za-z0-9][A-Za-z0-9.+:~_^-]{0,199}$/;

export function parsePackage(values: Readonly<Record<string, PolicyValue>>): PackageSpec {
  const reader = new ParameterReader(packageSchema.parameters, values);
  const names = [...new Set(reader.list('package') ?? [])];
  const all = names.length === 1 && names[0] === '*';
  const spec: PackageSpec = {
    names,
    all,
    state: reader.enumeration('state', ['present', 'latest', 'absent']) ?? 'present',
    version: reader.text('version'),
    allowDowngrade: reader.boolean('allow_downgrade') ?? false,
    purge: reader.boolean('purge') ?? false,
    updateCache: reader.boolean('update_cache') ?? false,
    lockVersion: reader.boolean('lock_version') ?? false,
    postCleanup: reader.boolean('post_cleanup') ?? false,
    flags: reader.list('flags') ?? [],
    timeoutMs: parseTimeout(reader),
  };
  check(spec, reader);
  reader.finish();
  return spec;
}

function parseTimeout(reader: ParameterReader): number {
  const value = durationMs(reader.text('timeout') ?? '');
  if (value !== undefined && value > 0 && value <= timeoutLimitMs) return value;
  reader.problem('timeout', 'must be seconds, or like 30s, 45m, 3h; below 4 hours');
  return 0;
}

function check(spec: PackageSpec, reader: ParameterReader): void {
  if (spec.names.length === 0) reader.problem('package', 'names no package');
  if (spec.names.length > nameLimit) reader.problem('package', `names more than ${nameLimit}`);
  if (spec.all && spec.state !== 'latest') reader.problem('package', '"*" needs state latest');
  if (!spec.all && spec.names.some((name) => !namePattern.test(name)))
    reader.problem('package', 'holds something that is no package name');
  if (spec.version !== undefined) {
    if (!versionPattern.test(spec.version)) reader.problem('version', 'is no version');
    if (spec.state !== 'present') reader.problem('version', 'goes with state present only');
    if (spec.names.length > 1) reader.problem('version', 'goes with one package only');
  }
  if (spec.lockVersion && spec.version === undefined && spec.state === 'present')
    reader.problem('lock_version', 'needs version');
  if (spec.flags.some((flag) => !flag.startsWith('-') || controlCharacters.test(flag)))
    reader.problem('flags', 'must be options that begin with "-"');
}
