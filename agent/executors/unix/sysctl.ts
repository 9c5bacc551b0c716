import { AgentError } from '../../errors.ts';
import { PlatformError } from '../../platform/platform-error.ts';
import { sysctlSchema } from '../../policy/resource-schemas/sysctl.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import type { Drift, ResourceContext, ResourceType } from '../contract.ts';
import {
  applyManaged,
  compareManaged,
  joinDrifts,
  type ManagedFile,
  type ManagedFileState,
  managedHeader,
  observeManaged,
} from '../cross/managed-file.ts';
import { ParameterReader } from '../parameters.ts';
import { sysctlFile, sysctlPath } from './sysctl-key.ts';

export interface SysctlSpec {
  readonly key: string;
  /** Undefined for absent: the running value is left. */
  readonly value: string | undefined;
  /** Undefined when the setting is not to survive a reboot, or is already left to others. */
  readonly file: ManagedFile | undefined;
}

export interface SysctlState {
  readonly path: string;
  /** As the kernel has it, white space reduced; undefined when it has no such setting. */
  readonly running: string | undefined;
  readonly file: ManagedFileState | undefined;
}

const valueLimit = 4096;

/**
 * A kernel setting: read from /proc/sys and written there, no process involved. The kernel is asked
 * first, so that a value that it refuses never gets into the file that is read at boot.
 */
export const sysctlType: ResourceType<SysctlSpec, SysctlState> = {
  name: 'sysctl',
  parameters: sysctlSchema.parameters,
  confinable: true,
  timeoutMs: 30_000,
  parse,
  observe,
  compare,
  apply,
  targets: ({ key, value, file }) => [
    ...(value === undefined
      ? []
      : [{ kind: 'path', value: sysctlPath(key), effect: 'write' } as const]),
    ...(file === undefined
      ? []
      : [
          {
            kind: 'path',
            value: file.path,
            effect: file.content === undefined ? 'remove' : 'write',
          } as const,
        ]),
  ],
};

function parse(values: Readonly<Record<string, PolicyValue>>): SysctlSpec {
  const reader = new ParameterReader(sysctlSchema.parameters, values);
  const key = reader.text('key') ?? '';
  const absent = reader.absent();
  const value = reduced(reader.text('value') ?? '');
  const persist = reader.boolean('persist') !== false;
  if (!absent && value === '') reader.problem('value', 'is required for state present');
  if (value.length > valueLimit) reader.problem('value', `exceeds ${valueLimit} characters`);
  reader.finish();
  const path = sysctlFile(key);
  const content = absent ? undefined : `${managedHeader}\n${key} = ${value}\n`;
  return {
    key,
    value: absent ? undefined : value,
    file: persist || absent ? { path, content } : undefined,
  };
}

/** The kernel prints tabs where a person writes a space. */
function reduced(value: string): string {
  return value.trim().replace(/\s+/g, ' ');
}

async function observe(spec: SysctlSpec, { platform }: ResourceContext): Promise<SysctlState> {
  const path = await platform.paths.resolve(sysctlPath(spec.key));
  const file = spec.file && (await observeManaged(spec.file.path, platform));
  if (spec.value === undefined) return { path, running: undefined, file };
  const status = await platform.files.status(path);
  const running =
    status?.kind === 'file'
      ? reduced(new TextDecoder().decode(await platform.files.read(path)))
      : undefined;
  return { path, running, file };
}

function compare(spec: SysctlSpec, state: SysctlState): Drift {
  const file: Drift =
    spec.file === undefined || state.file === undefined
      ? { action: 'none', reason: 'as declared' }
      : compareManaged(spec.file, state.file);
  if (spec.value === undefined) return file;
  if (state.running === undefined)
    throw new AgentError('AGENT_SYSCTL_UNKNOWN', { detail: spec.key });
  if (state.running === spec.value)
    return file.action === 'none' ? { ...file, reason: `${spec.key} is ${spec.value}` } : file;
  const running: Drift = {
    action: 'updated',
    reason: `${spec.key} is ${state.running}, not ${spec.value}`,
    diff: `${spec.key}: ${state.running} -> ${spec.value}`,
  };
  return joinDrifts(file.action === 'none' ? [running] : [running, file]);
}

async function apply(
  spec: SysctlSpec,
  state: SysctlState,
  _drift: Drift,
  context: ResourceContext,
): Promise<void> {
  if (spec.value !== undefined && state.running !== spec.value) await tell(spec, state, context);
  if (spec.file === undefined || state.file === undefined) return;
  if (compareManaged(spec.file, state.file).action !== 'none')
    await applyManaged(spec.file, state.file, context);
}

async function tell(
  spec: SysctlSpec,
  state: SysctlState,
  { platform }: ResourceContext,
): Promise<void> {
  try {
    await platform.files.writeKernel(state.path, `${spec.value}\n`);
  } catch (thrown) {
    if (thrown instanceof PlatformError && ['EINVAL', 'ERANGE'].includes(thrown.code))
      throw new AgentError('AGENT_SYSCTL_REFUSED', { detail: `${spec.key} = ${spec.value}` });
    throw thrown;
  }
}
