import { dirname } from '../../converge/path-text.ts';
import type { Platform } from '../../platform/platform.ts';
import { PlatformError } from '../../platform/platform-error.ts';
import { systemdDropinSchema } from '../../policy/resource-schemas/systemd-dropin.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import type { Drift, ResourceContext, ResourceType } from '../contract.ts';
import {
  applyManaged,
  compareManaged,
  type ManagedFile,
  type ManagedFileState,
  observeManaged,
} from '../cross/managed-file.ts';
import { changeAndTell, observePending, type Pending } from '../cross/pending.ts';
import { ParameterReader } from '../parameters.ts';
import { mustRun } from '../unix/tool.ts';

export interface DropinSpec extends ManagedFile {
  readonly unit: string;
}

export interface DropinState {
  readonly file: ManagedFileState;
  /** The file was changed and systemd not told. */
  readonly pending: Pending;
  readonly systemd: boolean;
}

const reloadTimeoutMs = 90_000;

/**
 * A drop-in of a systemd unit. systemd reads its units again only after a change; the unit itself is
 * not restarted (let it subscribe). An empty directory of drop-ins is removed.
 */
export const systemdDropinType: ResourceType<DropinSpec, DropinState> = {
  name: 'systemd_dropin',
  parameters: systemdDropinSchema.parameters,
  confinable: true,
  timeoutMs: 120_000,
  parse,
  observe,
  compare,
  apply,
  targets: ({ path, content }) => [
    { kind: 'path', value: path, effect: content === undefined ? 'remove' : 'write' },
  ],
};

function parse(values: Readonly<Record<string, PolicyValue>>): DropinSpec {
  const reader = new ParameterReader(systemdDropinSchema.parameters, values);
  const unit = reader.text('unit') ?? '';
  const path = `/etc/systemd/system/${unit}.d/${reader.text('dropin') ?? 'override'}.conf`;
  const content = reader.text('content');
  const absent = reader.absent();
  if (!absent && content === undefined) reader.problem('content', 'is required for state present');
  if (content?.includes('\0')) reader.problem('content', 'must be text');
  reader.finish();
  return { unit, path, content: absent ? undefined : content!.replace(/\n*$/, '\n') };
}

async function observe(spec: DropinSpec, { platform }: ResourceContext): Promise<DropinState> {
  const { files, paths } = platform;
  return {
    file: await observeManaged(spec.path, platform),
    pending: await observePending(`systemd:${spec.path}`, platform),
    systemd:
      !paths.confined &&
      (await files.status(await paths.resolve('/run/systemd/system')))?.kind === 'directory',
  };
}

function compare(spec: DropinSpec, state: DropinState): Drift {
  const drift = compareManaged(spec, state.file);
  if (drift.action !== 'none' || !state.pending.exists) return drift;
  return { action: 'updated', reason: `systemd has not read ${spec.path} yet` };
}

async function apply(
  spec: DropinSpec,
  state: DropinState,
  _drift: Drift,
  context: ResourceContext,
): Promise<void> {
  const { platform } = context;
  const change = async () => {
    if (compareManaged(spec, state.file).action !== 'none')
      await applyManaged(spec, state.file, context);
    if (spec.content === undefined) await removeIfEmpty(dirname(state.file.path), platform);
  };
  const tell = async () => {
    if (!state.systemd) return;
    const argv = ['systemctl', '--quiet', '--no-ask-password', 'daemon-reload'] as const;
    await mustRun(argv, context, 'AGENT_SERVICE_FAILED', { timeoutMs: reloadTimeoutMs });
  };
  await changeAndTell(state.pending, platform, change, tell);
}

async function removeIfEmpty(directory: string, platform: Platform): Promise<void> {
  try {
    await platform.files.removeEmptyDirectory(directory);
  } catch (thrown) {
    const codes = ['ENOTEMPTY', 'ENOENT', 'EEXIST', 'ENOTDIR', 'EBUSY'];
    if (!(thrown instanceof PlatformError) || !codes.includes(thrown.code)) throw thrown;
  }
}
