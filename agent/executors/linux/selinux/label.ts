import { AgentError } from '../../../errors.ts';
import type { FileStatus } from '../../../platform/platform.ts';
import { readText } from '../../../platform/text-file.ts';
import type { LabelledPlace } from '../../../policy/resource-schemas/selinux-path.ts';
import type { Drift, ResourceContext } from '../../contract.ts';
import { changeAndTell, observePending } from '../../cross/pending.ts';
import { changeSecurityContext, securityContext } from '../../cross/security-context.ts';
import {
  type Finding,
  policyName,
  policyTool,
  recordLines,
  requireRunning,
  setRule,
  typeOf,
} from './host.ts';

export interface LabelSpec {
  readonly kind: 'label';
  readonly place: LabelledPlace;
  readonly fileType: FileType;
  /** A rule of the local policy; undefined when the one file gets a context. */
  readonly type: string | undefined;
  readonly context: string | undefined;
  readonly absent: boolean;
}

/** As the record writes a kind of file, and as semanage is told it. */
export const fileTypes = {
  any: { written: '', told: 'a', kinds: ['file', 'directory', 'symlink', 'other'] },
  file: { written: '--', told: 'f', kinds: ['file'] },
  directory: { written: '-d', told: 'd', kinds: ['directory'] },
  link: { written: '-l', told: 'l', kinds: ['symlink'] },
  socket: { written: '-s', told: 's', kinds: [] },
  pipe: { written: '-p', told: 'p', kinds: [] },
  block: { written: '-b', told: 'b', kinds: [] },
  character: { written: '-c', told: 'c', kinds: [] },
} as const satisfies Record<
  string,
  { written: string; told: string; kinds: readonly FileStatus['kind'][] }
>;
export type FileType = keyof typeof fileTypes;

/** A rule of semanage fcontext and the label that the path bears, or only the label of one file. */
export function observeLabel(spec: LabelSpec, context: ResourceContext): Promise<Finding> {
  return spec.absent || spec.context === undefined
    ? observeRule(spec, context)
    : observeContext(spec.place.stem, spec.context, context);
}

async function observeContext(
  path: string,
  wanted: string,
  context: ResourceContext,
): Promise<Finding> {
  await requireRunning(context.platform);
  const real = await context.platform.paths.resolve(path);
  if ((await context.platform.files.status(real)) === undefined)
    throw new AgentError('AGENT_PATH_MISSING', { detail: path });
  const label = await securityContext(real, context);
  const drift: Drift =
    label === wanted
      ? { action: 'none', reason: `${path} is ${wanted}` }
      : {
          action: 'updated',
          reason: `${path} is ${label}, not ${wanted}`,
          diff: `${path}: ${label} -> ${wanted}`,
        };
  return { drift, repair: (context) => changeSecurityContext(real, wanted, context) };
}

async function observeRule(spec: LabelSpec, context: ResourceContext): Promise<Finding> {
  const { platform } = context;
  await requireRunning(platform);
  const { place, absent } = spec;
  const kind = fileTypes[spec.fileType];
  const rule = await localRule(place.expression, kind.written, context);
  const pending = await observePending(`selinux ${kind.told} ${place.expression}`, platform);
  const worn = absent || rule !== spec.type ? undefined : await wornType(spec, context);
  const drift = compareRule(spec, { rule, worn, pending: pending.exists });
  return {
    drift,
    repair: (context) =>
      changeAndTell(
        pending,
        context.platform,
        () => changeRule(spec, rule, context),
        () => relabel(place, context),
      ),
  };
}

interface RuleState {
  /** Type of the local rule. */
  readonly rule: string | undefined;
  /** Type that the stem bears; undefined when that is of no concern. */
  readonly worn: string | undefined;
  readonly pending: boolean;
}

function compareRule(spec: LabelSpec, { rule, worn, pending }: RuleState): Drift {
  const { place, type, absent } = spec;
  const what = place.expression;
  if (absent) {
    if (rule !== undefined)
      return { action: 'deleted', reason: `${what} is ${rule} by a local rule` };
  } else if (rule !== type)
    return {
      action: rule === undefined ? 'created' : 'updated',
      reason: `${what} ${rule === undefined ? 'has no local rule' : `is ${rule}, not ${type}`}`,
      diff: `${what}: ${rule ?? 'left to the policy'} -> ${type}`,
    };
  else if (worn !== undefined && worn !== type)
    return {
      action: 'updated',
      reason: `${place.stem} bears ${worn}, not ${type}`,
      diff: `${place.stem}: ${worn} -> ${type}`,
    };
  if (pending)
    return {
      action: absent ? 'deleted' : 'updated',
      reason: `${what} was changed, but the files were not labelled anew`,
    };
  return { action: 'none', reason: absent ? `${what} has no local rule` : `${what} is ${type}` };
}

async function localRule(
  expression: string,
  written: string,
  { platform }: ResourceContext,
): Promise<string | undefined> {
  const file = `/etc/selinux/${await policyName(platform)}/contexts/files/file_contexts.local`;
  // The last one holds.
  const found = recordLines((await readText(platform, file)) ?? '')
    .map((line) => line.split(/\s+/))
    .filter((words) => words[0] === expression)
    .findLast((words) => (words.length > 2 ? words[1] : '') === written);
  return found && typeOf(found.at(-1) ?? '');
}

async function wornType(
  { place, fileType }: LabelSpec,
  context: ResourceContext,
): Promise<string | undefined> {
  if (!place.holdsStem) return undefined;
  const path = await context.platform.paths.resolve(place.stem);
  const status = await context.platform.files.status(path);
  const kinds: readonly string[] = fileTypes[fileType].kinds;
  if (status === undefined || !kinds.includes(status.kind)) return undefined;
  return typeOf((await securityContext(path, context)) ?? '');
}

async function changeRule(
  spec: LabelSpec,
  rule: string | undefined,
  context: ResourceContext,
): Promise<void> {
  const { place, type, absent } = spec;
  const words = ['-f', fileTypes[spec.fileType].told];
  if (absent) {
    if (rule !== undefined)
      await policyTool(['semanage', 'fcontext', '-d', ...words, place.expression], context);
  } else if (rule !== type)
    await setRule('fcontext', [...words, '-t', type ?? '', place.expression], context);
}

async function relabel({ stem, single }: LabelledPlace, context: ResourceContext): Promise<void> {
  const path = await context.platform.paths.resolve(stem);
  if ((await context.platform.files.status(path)) === undefined) return;
  // -F: also the user and the role, as after a relabelling of the whole machine.
  await policyTool(['restorecon', '-F', ...(single ? [] : ['-R']), '--', path], context);
}
