import { readText } from '../../platform/text-file.ts';
import { rebootSchema } from '../../policy/resource-schemas/reboot.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import type { Drift, ResourceContext, ResourceType } from '../contract.ts';
import { readPath } from '../cross/places.ts';
import { ParameterReader } from '../parameters.ts';
import { mustRun } from './tool.ts';

export interface RebootSpec {
  readonly cancel: boolean;
  /** As shutdown(8) counts. */
  readonly minutes: number;
  readonly message: string;
  readonly requiredFile: string | undefined;
}

export interface RebootState {
  readonly scheduled: boolean;
  /** Why no reboot is due. */
  readonly held: string | undefined;
  readonly systemd: boolean;
}

const delayLimit = 7 * 24 * 3600;
/** Where systemd and sysvinit note a shutdown that is coming. */
const notes = ['/run/systemd/shutdown/scheduled', '/run/shutdown.pid'] as const;

/**
 * A reboot through shutdown(8). At least a minute ahead, so that the pass ends and its report goes out.
 * A file that says a reboot is required counts only when it is newer than the last boot: one that
 * survives reboots would otherwise reboot the node for ever.
 */
export const rebootType: ResourceType<RebootSpec, RebootState> = {
  name: 'reboot',
  parameters: rebootSchema.parameters,
  confinable: false,
  timeoutMs: 60_000,
  parse,
  observe,
  compare,
  apply,
  targets: () => [],
};

function parse(values: Readonly<Record<string, PolicyValue>>): RebootSpec {
  const reader = new ParameterReader(rebootSchema.parameters, values);
  const file = reader.text('reboot_required_file');
  const spec: RebootSpec = {
    cancel: reader.absent(),
    minutes: Math.max(1, Math.ceil((reader.integer('delay_secs', 0, delayLimit) ?? 0) / 60)),
    message: reader.text('message') ?? '',
    requiredFile: file === undefined ? undefined : readPath(reader, 'reboot_required_file'),
  };
  reader.finish();
  return spec;
}

async function observe(spec: RebootSpec, { platform }: ResourceContext): Promise<RebootState> {
  const { files, paths } = platform;
  let scheduled = false;
  for (const note of notes)
    scheduled ||=
      (await files.status(await paths.resolve(note, { followLast: true }))) !== undefined;
  const systemd = await files.status(await paths.resolve('/run/systemd/system'));
  const base = { scheduled, systemd: systemd?.kind === 'directory' };
  if (spec.requiredFile === undefined || spec.cancel) return { ...base, held: undefined };
  const path = await paths.resolve(spec.requiredFile, { followLast: true });
  const status = await files.status(path);
  if (status === undefined) return { ...base, held: `${spec.requiredFile} does not exist` };
  const stat = (await readText(platform, '/proc/stat')) ?? '';
  const bootMs = Number(/^btime (\d+)$/m.exec(stat)?.[1] ?? 0) * 1000;
  const old = status.modifiedMs < bootMs;
  return { ...base, held: old ? `${spec.requiredFile} is older than the last boot` : undefined };
}

function compare(spec: RebootSpec, { scheduled, held }: RebootState): Drift {
  if (spec.cancel)
    return scheduled
      ? { action: 'deleted', reason: 'a reboot is scheduled' }
      : { action: 'none', reason: 'no reboot is scheduled' };
  if (scheduled) return { action: 'none', reason: 'a reboot is scheduled already' };
  if (held !== undefined) return { action: 'none', reason: held };
  const when = spec.minutes === 1 ? 'in a minute' : `in ${spec.minutes} minutes`;
  const why = spec.requiredFile === undefined ? '' : `, ${spec.requiredFile} exists`;
  return { action: 'updated', reason: `reboots ${when}${why}` };
}

async function apply(
  spec: RebootSpec,
  { systemd }: RebootState,
  _drift: Drift,
  context: ResourceContext,
): Promise<void> {
  if (spec.cancel) {
    await mustRun(['shutdown', '-c'], context);
    return;
  }
  const argv = ['shutdown', '-r', `+${spec.minutes}`, spec.message] as const;
  if (systemd) {
    await mustRun(argv, context);
    return;
  }
  // That of sysvinit stays until the time has come.
  await context.platform.processes.run({ argv, timeoutMs: 60_000, background: true });
}
