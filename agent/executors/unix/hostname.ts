import { hostnameSchema } from '../../policy/resource-schemas/hostname.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import type { Drift, ResourceContext, ResourceType } from '../contract.ts';
import { observeManaged } from '../cross/managed-file.ts';
import { ParameterReader } from '../parameters.ts';
import { mustRun } from './tool.ts';

export interface HostnameSpec {
  readonly hostname: string;
}

export interface HostnameState {
  /** Real path of /etc/hostname. */
  readonly path: string;
  /** What it says; undefined when it is missing. */
  readonly declared: string | undefined;
  /** The name that the kernel has; undefined in a confined root, which has no name. */
  readonly running: string | undefined;
  readonly systemd: boolean;
}

const file = '/etc/hostname';
const kernel = '/proc/sys/kernel/hostname';
const systemdMark = '/run/systemd/system';

/**
 * The name of the node, in /etc/hostname and in the kernel. Both are read as files; a change goes
 * through hostnamectl where systemd runs, so that its listeners hear of it.
 */
export const hostnameType: ResourceType<HostnameSpec, HostnameState> = {
  name: 'hostname',
  parameters: hostnameSchema.parameters,
  confinable: true,
  timeoutMs: 60_000,
  parse: (values) => parse(values),
  observe,
  compare,
  apply,
  targets: () => [{ kind: 'path', value: file, effect: 'write' }],
};

function parse(values: Readonly<Record<string, PolicyValue>>): HostnameSpec {
  const reader = new ParameterReader(hostnameSchema.parameters, values);
  const hostname = reader.text('hostname') ?? '';
  reader.finish();
  return { hostname };
}

async function observe(_spec: HostnameSpec, { platform }: ResourceContext): Promise<HostnameState> {
  const { files, paths } = platform;
  const { path, content } = await observeManaged(file, platform);
  // Comments are allowed in it, see hostname(5).
  const declared = content?.split('\n').find((line) => !/^\s*(#|$)/.test(line));
  const name = await paths.resolve(kernel);
  const known = !paths.confined && (await files.status(name))?.kind === 'file';
  return {
    path,
    declared: declared?.trim(),
    running: known ? new TextDecoder().decode(await files.read(name)).trim() : undefined,
    systemd: (await files.status(await paths.resolve(systemdMark)))?.kind === 'directory',
  };
}

function compare({ hostname }: HostnameSpec, { declared, running }: HostnameState): Drift {
  const wrong: string[] = [];
  const diff: string[] = [];
  if (declared !== hostname) {
    wrong.push(declared === undefined ? `${file} names nothing` : `${file} says ${declared}`);
    diff.push(`${file}: ${declared ?? ''} -> ${hostname}`);
  }
  if (running !== undefined && running !== hostname) {
    wrong.push(`the node calls itself ${running}`);
    diff.push(`running: ${running} -> ${hostname}`);
  }
  if (wrong.length === 0) return { action: 'none', reason: `the name is ${hostname}` };
  return {
    action: 'updated',
    reason: `${wrong.join(', ')} instead of ${hostname}`,
    diff: diff.join('\n'),
  };
}

async function apply(
  spec: HostnameSpec,
  state: HostnameState,
  _drift: Drift,
  context: ResourceContext,
): Promise<void> {
  if (state.declared !== spec.hostname) {
    const content = new TextEncoder().encode(`${spec.hostname}\n`);
    await context.platform.files.writeAtomic(state.path, content, {});
  }
  if (state.running === undefined || state.running === spec.hostname) return;
  await mustRun(
    state.systemd
      ? ['hostnamectl', '--no-ask-password', 'set-hostname', spec.hostname]
      : ['hostname', spec.hostname],
    context,
  );
}
