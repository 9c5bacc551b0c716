import { asText } from '../../converge/diff.ts';
import { dirname } from '../../converge/path-text.ts';
import { AgentError } from '../../errors.ts';
import { runTool } from '../../platform/command.ts';
import type { FileStatus } from '../../platform/platform.ts';
import { readText } from '../../platform/text-file.ts';
import { swapSchema } from '../../policy/resource-schemas/swap.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import type { Drift, ResourceContext, ResourceType } from '../contract.ts';
import { makeDirectories, occupied, readPath } from '../cross/places.ts';
import { ParameterReader } from '../parameters.ts';
import { editFstab, type FstabEntry, unescapeOctal } from './fstab.ts';
import { mustRun, toolFailure } from './tool.ts';

export interface SwapSpec {
  readonly path: string;
  readonly absent: boolean;
  /** Bytes of a swap file; undefined for a device or a file that others made. */
  readonly size: number | undefined;
  readonly priority: number | undefined;
  readonly fstab: boolean;
}

export interface SwapState {
  readonly path: string;
  readonly status: FileStatus | undefined;
  /** Priority while it is in use. */
  readonly active: { readonly priority: number } | undefined;
  readonly fstab: { readonly path: string; readonly text: string };
}

const table = '/etc/fstab';
const fileMode = 0o600;
/** Writing zeros takes as long as the disk takes. */
const makeTimeoutMs = 900_000;
const units: Readonly<Record<string, number>> = {
  '': 1,
  K: 2 ** 10,
  M: 2 ** 20,
  G: 2 ** 30,
  T: 2 ** 40,
};

/**
 * A swap file or device. A file is filled and formatted under another name and then takes its place in
 * one step, so that what is at the path is always either nothing or a whole swap area.
 */
export const swapType: ResourceType<SwapSpec, SwapState> = {
  name: 'swap',
  parameters: swapSchema.parameters,
  confinable: false,
  timeoutMs: 1_200_000,
  parse,
  observe,
  compare,
  apply,
  targets: ({ path, absent }) => [
    { kind: 'path', value: path, effect: absent ? 'remove' : 'write' },
    { kind: 'path', value: table, effect: 'write' },
  ],
};

/** Bytes of "512M" or "2G"; undefined when it is no size. */
export function sizeBytes(text: string): number | undefined {
  const match = /^(\d{1,15})([KMGT]?)i?B?$/.exec(text);
  return match === null ? undefined : Number(match[1]) * units[match[2]!]!;
}

function parse(values: Readonly<Record<string, PolicyValue>>): SwapSpec {
  const reader = new ParameterReader(swapSchema.parameters, values);
  const size = reader.text('size');
  const spec: SwapSpec = {
    path: readPath(reader, 'path'),
    absent: reader.absent(),
    size: size === undefined ? undefined : sizeBytes(size),
    priority: reader.integer('priority', -1, 32_767),
    fstab: reader.boolean('fstab') !== false,
  };
  if (spec.size !== undefined && (spec.size < 2 ** 20 || spec.size % 4096 !== 0))
    reader.problem('size', 'must be at least 1M, in whole pages of 4096 bytes');
  reader.finish();
  return spec;
}

async function observe(spec: SwapSpec, { platform }: ResourceContext): Promise<SwapState> {
  const { files, paths } = platform;
  const path = await paths.resolve(spec.path, { followLast: true });
  const status = await files.status(path);
  if (status?.kind === 'directory') throw occupied(spec.path, 'directory', 'swap file');
  const swaps = (await readText(platform, '/proc/swaps')) ?? '';
  const real = paths.declared(path);
  const line = swaps
    .split('\n')
    .map((one) => one.split(/\s+/))
    .find(([name]) => name !== undefined && unescapeOctal(name) === real);
  const place = await paths.resolve(table, { followLast: true });
  const there = (await files.status(place))?.kind === 'file';
  const text = there ? asText(await files.read(place)) : '';
  if (text === undefined) throw new AgentError('AGENT_FILE_NOT_TEXT', { detail: table });
  return {
    path,
    status,
    active: line === undefined ? undefined : { priority: Number(line[4]) },
    fstab: { path: place, text },
  };
}

/** A line of the table that stays as its owner wrote it, when it says the same. */
function editedTable(spec: SwapSpec, text: string): string {
  const matches = (entry: FstabEntry) => entry.device === spec.path && entry.type === 'swap';
  if (!spec.absent && !spec.fstab) return text;
  const options = spec.priority === undefined ? 'sw' : `sw,pri=${spec.priority}`;
  const entry = { device: spec.path, path: 'none', type: 'swap', options, dump: 0, pass: 0 };
  return editFstab(text, matches, spec.absent ? undefined : entry);
}

function wrongFile(spec: SwapSpec, { status }: SwapState): string | undefined {
  if (spec.size === undefined) return undefined;
  if (status === undefined) return `${spec.path} does not exist`;
  if (status.kind !== 'file') throw occupied(spec.path, 'device', 'swap file');
  if (status.size !== spec.size) return `${spec.path} has ${status.size} bytes, not ${spec.size}`;
  return undefined;
}

function compare(spec: SwapSpec, state: SwapState): Drift {
  const { active, status } = state;
  const wrong: string[] = [];
  if (spec.absent) {
    if (active !== undefined) wrong.push(`${spec.path} is in use`);
    if (status?.kind === 'file') wrong.push(`${spec.path} exists`);
  } else {
    if (spec.size === undefined && status === undefined)
      throw new AgentError('AGENT_PATH_MISSING', { detail: spec.path });
    const file = wrongFile(spec, state);
    if (file !== undefined) wrong.push(file);
    if (active === undefined) wrong.push('it is not in use');
    else if (spec.priority !== undefined && spec.priority !== active.priority)
      wrong.push(`its priority is ${active.priority}, not ${spec.priority}`);
    if (status?.kind === 'file' && status.mode !== fileMode)
      wrong.push(`its mode is ${status.mode.toString(8)}, not 600`);
  }
  if (editedTable(spec, state.fstab.text) !== state.fstab.text)
    wrong.push(`${table} ${spec.absent ? 'has an entry' : 'has no such entry'}`);
  if (wrong.length === 0)
    return {
      action: 'none',
      reason: spec.absent ? 'absent as declared' : `${spec.path} is in use`,
    };
  const missing = status === undefined && active === undefined;
  return {
    action: spec.absent ? 'deleted' : missing ? 'created' : 'updated',
    reason: wrong.join(', '),
    diff: wrong.map((one) => `swap ${spec.path}: ${one}`).join('\n'),
  };
}

async function apply(
  spec: SwapSpec,
  state: SwapState,
  _drift: Drift,
  context: ResourceContext,
): Promise<void> {
  const { files } = context.platform;
  const { path, active } = state;
  const remake = !spec.absent && wrongFile(spec, state) !== undefined;
  const priority = spec.priority !== undefined && active?.priority !== spec.priority;
  const off = active !== undefined && (spec.absent || remake || priority);
  if (off) await swapOff(path, context);
  if (remake) await make(path, spec.size!, context);
  else if (!spec.absent && state.status?.kind === 'file' && state.status.mode !== fileMode)
    await files.setMode(path, fileMode);
  if (!spec.absent && (active === undefined || off)) {
    const flags = spec.priority === undefined ? [] : ['--priority', String(spec.priority)];
    await mustRun(['swapon', ...flags, '--', path], context, 'AGENT_SWAP_FAILED');
  }
  // After it proved to work: what cannot be used must not stand in the table at the next boot.
  const edited = editedTable(spec, state.fstab.text);
  if (edited !== state.fstab.text) {
    await context.snapshot(state.fstab.path);
    await files.writeAtomic(state.fstab.path, new TextEncoder().encode(edited), {});
  }
  if (spec.absent && state.status?.kind === 'file') await files.removeFile(path);
}

async function swapOff(path: string, context: ResourceContext): Promise<void> {
  const argv = ['swapoff', '--', path] as const;
  const options = { signal: context.signal, timeoutMs: makeTimeoutMs };
  const result = await runTool(context.platform, argv, options);
  if (result.exitCode === 0) return;
  if (/Cannot allocate memory/.test(result.stderr))
    throw new AgentError('AGENT_RESOURCES_EXHAUSTED', { detail: 'swapoff: not enough memory' });
  throw toolFailure(argv, result, 'AGENT_SWAP_FAILED');
}

async function make(path: string, size: number, context: ResourceContext): Promise<void> {
  const { files } = context.platform;
  const work = `${path}.vigo-new`;
  await makeDirectories(dirname(path), context.platform);
  await files.removeFile(work);
  await files.writeAtomic(work, new Uint8Array(), { mode: fileMode });
  const options = { timeoutMs: makeTimeoutMs };
  // Holes are not allowed in a swap file, so its blocks are written.
  const blocks =
    size % 2 ** 20 === 0 ? ['bs=1M', `count=${size / 2 ** 20}`] : ['bs=4K', `count=${size / 4096}`];
  const fill = [
    'dd',
    'if=/dev/zero',
    `of=${work}`,
    ...blocks,
    'conv=fsync,notrunc',
    'status=none',
  ] as const;
  try {
    await mustRun(fill, context, 'AGENT_SWAP_FAILED', options);
    await mustRun(['mkswap', '--', work], context, 'AGENT_SWAP_FAILED', options);
  } catch (thrown) {
    await files.removeFile(work);
    throw thrown;
  }
  await files.rename(work, path);
}
