import { AgentError } from '../../errors.ts';
import type { FileStatus } from '../../platform/platform.ts';
import { temporaryName } from '../../platform/platform.ts';
import { timezoneSchema } from '../../policy/resource-schemas/timezone.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import type { Drift, ResourceContext, ResourceType } from '../contract.ts';
import { hexadecimal } from '../cross/filters.ts';
import { clear, occupied } from '../cross/places.ts';
import { ParameterReader } from '../parameters.ts';

export interface TimezoneSpec {
  /** IANA name. */
  readonly zone: string;
}

export interface TimezoneState {
  readonly path: string;
  readonly status: FileStatus | undefined;
  /** The zone that the link names; undefined when it is no link to one. */
  readonly zone: string | undefined;
  /** Real path of /etc/timezone and what it says; undefined where there is none (not Debian). */
  readonly named: { readonly path: string; readonly zone: string } | undefined;
}

const link = '/etc/localtime';
const nameFile = '/etc/timezone';
const zones = '/usr/share/zoneinfo';

/** The link /etc/localtime, as timedatectl makes it, and Debian's /etc/timezone where it exists. */
export const timezoneType: ResourceType<TimezoneSpec, TimezoneState> = {
  name: 'timezone',
  parameters: timezoneSchema.parameters,
  confinable: true,
  timeoutMs: 30_000,
  parse: (values) => parse(values),
  observe,
  compare,
  apply,
  targets: () => [link, nameFile].map((value) => ({ kind: 'path', value, effect: 'write' })),
};

function parse(values: Readonly<Record<string, PolicyValue>>): TimezoneSpec {
  const reader = new ParameterReader(timezoneSchema.parameters, values);
  const zone = reader.text('timezone') ?? '';
  reader.finish();
  return { zone };
}

async function observe(spec: TimezoneSpec, { platform }: ResourceContext): Promise<TimezoneState> {
  const { files, paths } = platform;
  const data = await files.status(
    await paths.resolve(`${zones}/${spec.zone}`, { followLast: true }),
  );
  if (data?.kind !== 'file')
    throw new AgentError('AGENT_TIMEZONE_UNKNOWN', { detail: `no ${zones}/${spec.zone}` });
  const path = await paths.resolve(link);
  const status = await files.status(path);
  if (status?.kind === 'directory') throw occupied(link, 'directory', 'link');
  const target = status?.kind === 'symlink' ? await files.readLink(path) : '';
  const name = await paths.resolve(nameFile);
  const hasName = (await files.status(name))?.kind === 'file';
  return {
    path,
    status,
    zone: /^(?:\/|(?:\.\.\/)+)usr\/share\/zoneinfo\/(.+)$/.exec(target)?.[1],
    named: hasName
      ? { path: name, zone: new TextDecoder().decode(await files.read(name)).trim() }
      : undefined,
  };
}

function compare(spec: TimezoneSpec, { status, zone, named }: TimezoneState): Drift {
  const was = zone ?? (status === undefined ? 'not set' : `a ${status.kind} of its own`);
  const diff = `timezone: ${was} -> ${spec.zone}`;
  if (zone !== spec.zone)
    return { action: 'updated', reason: `the time zone is ${was}, not ${spec.zone}`, diff };
  if (named !== undefined && named.zone !== spec.zone)
    return {
      action: 'updated',
      reason: `${nameFile} says ${named.zone === '' ? 'nothing' : named.zone}, not ${spec.zone}`,
      diff: `${nameFile}: ${named.zone} -> ${spec.zone}`,
    };
  return { action: 'none', reason: `the time zone is ${spec.zone}` };
}

async function apply(
  spec: TimezoneSpec,
  state: TimezoneState,
  _drift: Drift,
  context: ResourceContext,
): Promise<void> {
  const { files, host } = context.platform;
  if (state.zone !== spec.zone) {
    const temporary = `${state.path.slice(0, state.path.lastIndexOf('/'))}/${temporaryName(
      hexadecimal(host.randomBytes(8)),
    )}`;
    if (state.status?.kind === 'file') await context.snapshot(state.path);
    if (state.status?.kind === 'other') await clear(state.path, state.status, context);
    try {
      await files.symbolicLink(`..${zones}/${spec.zone}`, temporary);
      await files.rename(temporary, state.path);
    } catch (thrown) {
      await files.removeFile(temporary);
      throw thrown;
    }
  }
  if (state.named !== undefined && state.named.zone !== spec.zone)
    await files.writeAtomic(state.named.path, new TextEncoder().encode(`${spec.zone}\n`), {});
}
