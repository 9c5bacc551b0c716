import { asText } from '../../converge/diff.ts';
import { AgentError } from '../../errors.ts';
import { causeOf, runTool } from '../../platform/command.ts';
import type { Platform } from '../../platform/platform.ts';
import { mountSchema } from '../../policy/resource-schemas/mount.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import type { Drift, ResourceContext, ResourceType } from '../contract.ts';
import { makeDirectories, occupied, readPath } from '../cross/places.ts';
import { ParameterReader } from '../parameters.ts';
import { editFstab, type FstabEntry, findEntry, sameEntry } from './fstab.ts';
import { type Mounted, missingOptions, parseMountinfo } from './mount-table.ts';
import { toolFailure } from './tool.ts';

export interface MountSpec {
  readonly path: string;
  readonly state: 'mounted' | 'present' | 'unmounted' | 'absent';
  /** The line of fstab; undefined for unmounted and absent. */
  readonly entry: FstabEntry | undefined;
}

export interface MountState {
  readonly fstab: { readonly path: string; readonly text: string };
  readonly mounted: Mounted | undefined;
  /** The mounted device is the declared one. */
  readonly sameDevice: boolean;
}

const table = '/etc/fstab';
const tableLimit = 1024 * 1024;
const mountTimeoutMs = 100_000;

/** A line of /etc/fstab and what is mounted, read from /proc/self/mountinfo. */
export const mountType: ResourceType<MountSpec, MountState> = {
  name: 'mount',
  parameters: mountSchema.parameters,
  confinable: false,
  timeoutMs: 240_000,
  parse,
  observe,
  compare,
  apply,
  targets: ({ path, state }) => [
    // What a mount covers, or a removed one takes away, is out of reach for others.
    {
      kind: 'path',
      value: path,
      effect: state === 'present' ? 'write' : 'remove',
      placeOnly: true,
    },
    { kind: 'path', value: table, effect: 'write' },
  ],
};

function parse(values: Readonly<Record<string, PolicyValue>>): MountSpec {
  const reader = new ParameterReader(mountSchema.parameters, values);
  const states = ['mounted', 'present', 'unmounted', 'absent'] as const;
  const state = reader.enumeration('state', states) ?? 'mounted';
  const path = readPath(reader, 'path');
  const wanted = state === 'mounted' || state === 'present';
  const [device, type] = [reader.text('device'), reader.text('fstype')];
  if (wanted && device === undefined) reader.problem('device', `is required for state ${state}`);
  if (wanted && type === undefined) reader.problem('fstype', `is required for state ${state}`);
  if (path === '/' && !wanted) reader.problem('path', 'must not be the root');
  const entry: FstabEntry = {
    device: device ?? '',
    path,
    type: type ?? '',
    options: reader.text('options') ?? 'defaults',
    dump: reader.integer('dump', 0, 1) ?? 0,
    pass: reader.integer('pass', 0, 2) ?? 0,
  };
  reader.finish();
  return { path, state, entry: wanted ? entry : undefined };
}

async function observe(spec: MountSpec, { platform }: ResourceContext): Promise<MountState> {
  const { files, paths } = platform;
  const path = await paths.resolve(table, { followLast: true });
  const there = (await files.status(path))?.kind === 'file';
  const text = there ? asText(await files.read(path, tableLimit)) : '';
  if (text === undefined) throw new AgentError('AGENT_FILE_NOT_TEXT', { detail: table });
  const kernel = await files.read(
    await paths.resolve('/proc/self/mountinfo', { followLast: true }),
  );
  // The kernel knows a mount by its real path.
  const real = paths.declared(await paths.resolve(spec.path, { followLast: true }));
  const mounted = parseMountinfo(new TextDecoder().decode(kernel)).get(real);
  const sameDevice =
    spec.entry === undefined || mounted === undefined
      ? true
      : await isDevice(spec.entry, mounted, platform);
  return { fstab: { path, text }, mounted, sameDevice };
}

const diskNames: Readonly<Record<string, string>> = {
  UUID: 'by-uuid',
  LABEL: 'by-label',
  PARTUUID: 'by-partuuid',
  PARTLABEL: 'by-partlabel',
};

async function isDevice(
  entry: FstabEntry,
  mounted: Mounted,
  { files, paths }: Platform,
): Promise<boolean> {
  const { device, options } = entry;
  if (options.split(',').some((one) => one === 'bind' || one === 'rbind')) {
    const [from, to] = [device, mounted.path].map((path) =>
      paths.resolve(path, { followLast: true }).then((real) => files.status(real)),
    );
    const [source, target] = [await from, await to];
    return source?.inode === target?.inode && source?.device === target?.device;
  }
  if (device === mounted.device) return true;
  const [, name, value] = /^([A-Z]+)="?([^"]+)"?$/.exec(device) ?? [];
  const link = name === undefined ? device : `/dev/disk/${diskNames[name] ?? name}/${value}`;
  if (!link.startsWith('/')) return false;
  return paths.declared(await paths.resolve(link, { followLast: true })) === mounted.device;
}

function matches(spec: MountSpec): (entry: FstabEntry) => boolean {
  return (entry) => entry.path === spec.path;
}

/** What differs of the mount itself; undefined when nothing does. */
function mountDrift(spec: MountSpec, state: MountState): string | undefined {
  const { mounted } = state;
  if (spec.state === 'present') return undefined;
  if (spec.entry === undefined)
    return mounted === undefined ? undefined : `${mounted.device} is mounted there`;
  if (mounted === undefined) return 'nothing is mounted there';
  if (!isRightKind(spec.entry, state))
    return `${mounted.device} (${mounted.type}) is mounted there, not ${spec.entry.device}`;
  const missing = missingOptions(spec.entry.options, mounted);
  return missing.length === 0 ? undefined : `it is mounted without ${missing.join(', ')}`;
}

function isRightKind(entry: FstabEntry, { mounted, sameDevice }: MountState): boolean {
  const typed = ['none', 'auto', 'bind'].includes(entry.type) || entry.type === mounted?.type;
  return typed && sameDevice;
}

function compare(spec: MountSpec, state: MountState): Drift {
  const entry = findEntry(state.fstab.text, matches(spec));
  const edited = editedTable(spec, state);
  const drift = mountDrift(spec, state);
  const tableDrift =
    edited === state.fstab.text
      ? undefined
      : entry === undefined
        ? `${table} has no entry`
        : spec.entry === undefined
          ? `${table} has an entry`
          : `the entry in ${table} ${sameEntry(entry, spec.entry) ? 'stands twice' : 'differs'}`;
  const wrong = [drift, tableDrift].filter((one) => one !== undefined);
  if (wrong.length === 0) return { action: 'none', reason: `${spec.path} is ${spec.state}` };
  const action =
    spec.entry === undefined
      ? 'deleted'
      : entry === undefined && (state.mounted === undefined || spec.state === 'present')
        ? 'created'
        : 'updated';
  return {
    action,
    reason: `${spec.path}: ${wrong.join('; ')}`,
    diff: [
      ...(drift === undefined ? [] : [`${spec.path}: ${drift} -> ${spec.state}`]),
      ...(tableDrift === undefined ? [] : [`${table}: ${shown(entry)} -> ${shown(spec.entry)}`]),
    ].join('\n'),
  };
}

/** Credentials of network file systems stand in the options: only their names are shown. */
function shown(entry: FstabEntry | undefined): string {
  if (entry === undefined) return '(none)';
  const options = entry.options.replace(/((?:pass|password|cred\w*|key)=)[^,]*/gi, '$1***');
  return [entry.device, entry.type, options, entry.dump, entry.pass].join(' ');
}

function editedTable(spec: MountSpec, state: MountState): string {
  if (spec.state === 'unmounted') return state.fstab.text;
  return editFstab(state.fstab.text, matches(spec), spec.entry);
}

async function apply(
  spec: MountSpec,
  state: MountState,
  _drift: Drift,
  context: ResourceContext,
): Promise<void> {
  const { platform } = context;
  // An absent entry goes last, so that a pass that ends after the unmount comes back to it.
  if (spec.entry === undefined && state.mounted !== undefined) await unmount(spec.path, context);
  const edited = editedTable(spec, state);
  if (edited !== state.fstab.text) {
    await context.snapshot(state.fstab.path);
    await platform.files.writeAtomic(state.fstab.path, new TextEncoder().encode(edited), {});
  }
  if (spec.state !== 'mounted' || spec.entry === undefined) return;
  if (mountDrift(spec, state) === undefined) return;
  try {
    await mount(spec, spec.entry, state, context);
  } catch (thrown) {
    // A machine does not come up from an entry that cannot be mounted.
    if (edited !== state.fstab.text)
      await platform.files.writeAtomic(
        state.fstab.path,
        new TextEncoder().encode(state.fstab.text),
        {},
      );
    throw thrown;
  }
}

/** By the table, which also keeps credentials among the options out of the process list. */
async function mount(
  spec: MountSpec,
  entry: FstabEntry,
  state: MountState,
  context: ResourceContext,
): Promise<void> {
  const { platform } = context;
  const { mounted } = state;
  if (mounted !== undefined && isRightKind(entry, state)) {
    const options = `remount,${entry.options.replace(/\br?bind\b/, 'bind')}`;
    return run(['mount', '-o', options, spec.path], context);
  }
  if (mounted !== undefined) await unmount(spec.path, context);
  const real = await platform.paths.resolve(spec.path, { followLast: true });
  const status = await platform.files.status(real);
  if (status === undefined) await makeDirectories(real, platform);
  else if (status.kind === 'symlink') throw occupied(spec.path, 'link', 'directory');
  await run(['mount', spec.path], context);
}

function unmount(path: string, context: ResourceContext): Promise<void> {
  return run(['umount', path], context);
}

async function run(argv: readonly [string, ...string[]], context: ResourceContext): Promise<void> {
  const options = { signal: context.signal, timeoutMs: mountTimeoutMs };
  const result = await runTool(context.platform, argv, options);
  if (result.exitCode === 0) return;
  if (/target is busy|is busy/.test(result.stderr))
    throw new AgentError('AGENT_MOUNT_BUSY', { detail: causeOf(result) });
  throw toolFailure(argv, result, 'AGENT_MOUNT_FAILED');
}
