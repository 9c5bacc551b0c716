import { AgentError } from '../../errors.ts';
import { causeOf, runTool } from '../../platform/command.ts';
import type { Platform } from '../../platform/platform.ts';
import { readText } from '../../platform/text-file.ts';
import { kernelModuleSchema } from '../../policy/resource-schemas/kernel-module.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import type { Drift, ResourceContext, ResourceType, Target } from '../contract.ts';
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
import { toolFailure } from '../unix/tool.ts';

export interface KernelModuleSpec {
  readonly module: string;
  readonly absent: boolean;
  readonly optionsFile: string;
  /** The files that give it its parameters and load it at boot, or that are to be gone. */
  readonly files: readonly ManagedFile[];
}

export interface KernelModuleState {
  readonly loaded: 'loaded' | 'built-in' | 'no';
  readonly files: readonly ManagedFileState[];
}

/**
 * A kernel module. Read from /proc/modules and /sys/module. Parameters are for the next load: a module
 * in use cannot be loaded anew without its users noticing.
 */
export const kernelModuleType: ResourceType<KernelModuleSpec, KernelModuleState> = {
  name: 'kernel_module',
  parameters: kernelModuleSchema.parameters,
  confinable: false,
  timeoutMs: 120_000,
  parse,
  observe,
  compare,
  apply,
  targets: ({ files }) =>
    files.map(
      ({ path, content }): Target => ({
        kind: 'path',
        value: path,
        effect: content === undefined ? 'remove' : 'write',
      }),
    ),
};

function parse(values: Readonly<Record<string, PolicyValue>>): KernelModuleSpec {
  const reader = new ParameterReader(kernelModuleSchema.parameters, values);
  const module = reader.text('module') ?? '';
  const absent = reader.absent();
  const persist = reader.boolean('persist') !== false;
  const params = reader.text('params');
  reader.finish();
  const load = `/etc/modules-load.d/vigo-${module}.conf`;
  const options = `/etc/modprobe.d/vigo-${module}.conf`;
  const wanted = (path: string, line: string, is: boolean): ManagedFile => ({
    path,
    content: is ? `${managedHeader}\n${line}\n` : undefined,
  });
  return {
    module,
    absent,
    optionsFile: options,
    files: [
      ...(params === undefined && !absent
        ? []
        : [wanted(options, `options ${module} ${params}`, !absent)]),
      ...(persist || absent ? [wanted(load, module, !absent)] : []),
    ],
  };
}

async function observe(
  spec: KernelModuleSpec,
  { platform }: ResourceContext,
): Promise<KernelModuleState> {
  const { files, paths } = platform;
  // The kernel spells names with "_" whatever the file is called.
  const name = spec.module.replaceAll('-', '_');
  const modules = (await readText(platform, '/proc/modules')) ?? '';
  const loadable = modules.split('\n').some((line) => line.startsWith(`${name} `));
  const known =
    !loadable &&
    ((await files.status(await paths.resolve(`/sys/module/${name}`))) !== undefined ||
      (await isBuiltIn(name, platform)));
  const states: ManagedFileState[] = [];
  for (const { path } of spec.files) states.push(await observeManaged(path, platform));
  return {
    loaded: loadable ? 'loaded' : known ? 'built-in' : 'no',
    files: states,
  };
}

/** By the kernel's list: what is built in and has no parameters is not in /sys/module. */
async function isBuiltIn(name: string, platform: Platform): Promise<boolean> {
  const release = (await readText(platform, '/proc/sys/kernel/osrelease'))?.trim();
  if (release === undefined) return false;
  const list = (await readText(platform, `/lib/modules/${release}/modules.builtin`)) ?? '';
  return list.split('\n').some((line) => {
    const file = line.slice(line.lastIndexOf('/') + 1);
    return file.replace(/\.ko$/, '').replaceAll('-', '_') === name;
  });
}

function compare(spec: KernelModuleSpec, state: KernelModuleState): Drift {
  const { module, absent } = spec;
  const drifts = spec.files.map((file, index) => compareManaged(file, state.files[index]!));
  if (absent && state.loaded === 'built-in')
    throw new AgentError('AGENT_MODULE_BUILT_IN', { detail: module });
  const settled: Drift = {
    action: 'none',
    reason: state.loaded === 'no' ? `${module} is not loaded` : `${module} is ${state.loaded}`,
  };
  const wrong = absent ? state.loaded === 'loaded' : state.loaded === 'no';
  const running: Drift = wrong
    ? {
        action: absent ? 'deleted' : 'created',
        reason: `${module} is ${absent ? 'loaded' : 'not loaded'}`,
        diff: `${module}: ${absent ? 'loaded -> not loaded' : 'not loaded -> loaded'}`,
      }
    : settled;
  return joinDrifts([running, ...drifts]);
}

/**
 * Parameters first, so that they hold for this load; the file that loads it at boot only after the
 * kernel took it. Removed last, when nothing needs them.
 */
async function apply(
  spec: KernelModuleSpec,
  state: KernelModuleState,
  _drift: Drift,
  context: ResourceContext,
): Promise<void> {
  if (spec.absent && state.loaded === 'loaded') await modprobe(['-r'], spec.module, context);
  const wrong = spec.files.flatMap((file, index) => {
    const before = state.files[index]!;
    return compareManaged(file, before).action === 'none' ? [] : [{ file, before }];
  });
  const early = wrong.filter(({ file }) => spec.absent || file.path === spec.optionsFile);
  for (const { file, before } of early) await applyManaged(file, before, context);
  if (!spec.absent && state.loaded === 'no')
    try {
      await modprobe([], spec.module, context);
    } catch (thrown) {
      for (const { before } of early)
        if (before.status === undefined) await context.platform.files.removeFile(before.path);
      throw thrown;
    }
  for (const { file, before } of wrong.slice(early.length))
    await applyManaged(file, before, context);
}

async function modprobe(
  flags: readonly string[],
  module: string,
  context: ResourceContext,
): Promise<void> {
  const argv = ['modprobe', ...flags, '--', module] as const;
  const result = await runTool(context.platform, argv, { signal: context.signal });
  if (result.exitCode === 0) return;
  if (/is in use/.test(result.stderr))
    throw new AgentError('AGENT_MODULE_IN_USE', { detail: causeOf(result) });
  if (/not found/.test(result.stderr))
    throw new AgentError('AGENT_MODULE_UNKNOWN', { detail: causeOf(result) });
  throw toolFailure(argv, result, 'AGENT_COMMAND_FAILED');
}
