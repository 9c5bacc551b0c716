import { AgentError } from '../../errors.ts';
import { readText } from '../../platform/text-file.ts';
import { alternativesSchema } from '../../policy/resource-schemas/alternatives.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import type { Drift, ResourceContext, ResourceType } from '../contract.ts';
import { readPath } from '../cross/places.ts';
import { ParameterReader } from '../parameters.ts';
import { mustRun } from '../unix/tool.ts';

export interface AlternativesSpec {
  readonly name: string;
  readonly absent: boolean;
  readonly path: string | undefined;
  /** Where the group's link is; needed only to register a path. */
  readonly link: string | undefined;
  readonly priority: number | undefined;
}

export interface AlternativesState {
  /** Undefined when there is no such group. */
  readonly group: AlternativesGroup | undefined;
  /** Where the group leads now. */
  readonly current: string | undefined;
}

export interface AlternativesGroup {
  readonly mode: string;
  readonly link: string;
  /** Path -> priority. */
  readonly choices: ReadonlyMap<string, number>;
}

/** Debian's and Red Hat's places of the records. */
const records = ['/var/lib/dpkg/alternatives', '/var/lib/alternatives'] as const;
const priorityLimit = 1_000_000;

/** What a generic command name such as "editor" stands for. Read from the records, without a process. */
export const alternativesType: ResourceType<AlternativesSpec, AlternativesState> = {
  name: 'alternatives',
  parameters: alternativesSchema.parameters,
  confinable: false,
  timeoutMs: 60_000,
  parse,
  observe,
  compare,
  apply,
  targets: ({ link, absent }) =>
    link === undefined ? [] : [{ kind: 'path', value: link, effect: absent ? 'remove' : 'write' }],
};

function parse(values: Readonly<Record<string, PolicyValue>>): AlternativesSpec {
  const reader = new ParameterReader(alternativesSchema.parameters, values);
  const path = (name: 'path' | 'link') =>
    reader.text(name) === undefined ? undefined : readPath(reader, name);
  const spec: AlternativesSpec = {
    name: reader.text('name') ?? '',
    absent: reader.absent(),
    path: path('path'),
    link: path('link'),
    priority: reader.integer('priority', -priorityLimit, priorityLimit),
  };
  if (!spec.absent && spec.path === undefined)
    reader.problem('path', 'is required for state present');
  reader.finish();
  return spec;
}

/**
 * The format of update-alternatives: mode, link, pairs of a slave's name and link, an empty line, then
 * per choice its path, its priority and a line per slave.
 */
export function parseAlternatives(text: string): AlternativesGroup {
  const lines = text.split('\n');
  const gap = lines.indexOf('', 2);
  const slaves = gap === -1 ? 0 : Math.floor((gap - 2) / 2);
  const choices = new Map<string, number>();
  for (let at = gap + 1; gap !== -1 && at < lines.length; at += 2 + slaves) {
    const path = lines[at];
    if (path === undefined || path === '') break;
    choices.set(path, Number(lines[at + 1]));
  }
  return { mode: lines[0] ?? '', link: lines[1] ?? '', choices };
}

async function observe(
  spec: AlternativesSpec,
  { platform }: ResourceContext,
): Promise<AlternativesState> {
  const { files, paths } = platform;
  let group: AlternativesGroup | undefined;
  for (const directory of records) {
    const text = await readText(platform, `${directory}/${spec.name}`);
    if (text !== undefined) group ??= parseAlternatives(text);
  }
  const link = await paths.resolve(`/etc/alternatives/${spec.name}`);
  const current =
    (await files.status(link))?.kind === 'symlink' ? await files.readLink(link) : undefined;
  return { group, current };
}

function compare(spec: AlternativesSpec, state: AlternativesState): Drift {
  const { name, path, priority } = spec;
  const { group, current } = state;
  if (spec.absent) {
    const there = group !== undefined && (path === undefined || group.choices.has(path));
    if (!there) return { action: 'none', reason: 'absent as declared' };
    const what = path === undefined ? `the group ${name}` : `${path} of ${name}`;
    return { action: 'deleted', reason: `${what} is registered` };
  }
  const known = group?.choices.get(path!);
  if (known === undefined && (spec.link ?? group?.link) === undefined)
    throw new AgentError('AGENT_ALTERNATIVE_UNKNOWN', { detail: name });
  const diff = `${name}: ${current ?? '(none)'} -> ${path}`;
  if (known === undefined)
    return { action: 'created', reason: `${path} is no choice for ${name} yet`, diff };
  if (priority !== undefined && known !== priority)
    return { action: 'updated', reason: `${path} has priority ${known}, not ${priority}`, diff };
  if (current !== path)
    return {
      action: 'updated',
      reason: `${name} is ${current ?? 'not linked'}, not ${path}`,
      diff,
    };
  return { action: 'none', reason: `${name} is ${path}` };
}

async function apply(
  spec: AlternativesSpec,
  { group }: AlternativesState,
  _drift: Drift,
  context: ResourceContext,
): Promise<void> {
  const run = (...words: string[]) =>
    mustRun(['update-alternatives', '--quiet', ...words], context, 'AGENT_ALTERNATIVE_FAILED');
  const { name, path, priority } = spec;
  if (spec.absent) {
    await (path === undefined ? run('--remove-all', name) : run('--remove', name, path));
    return;
  }
  const known = group?.choices.get(path!);
  if (known === undefined || (priority !== undefined && known !== priority)) {
    const link = spec.link ?? group!.link;
    await run('--install', link, name, path!, String(priority ?? known ?? 0));
  }
  await run('--set', name, path!);
}
