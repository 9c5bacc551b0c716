import type { GroupRecord } from '../../platform/accounts/account-files.ts';
import type { AccountManager } from '../../platform/accounts/account-manager.ts';
import type { Platform } from '../../platform/platform.ts';
import { groupSchema } from '../../policy/resource-schemas/group.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import type { Drift, ResourceContext, ResourceType } from '../contract.ts';
import { ParameterReader } from '../parameters.ts';
import { foreseeGroup } from './account-foresight.ts';
import { checkName, idLimit } from './account-names.ts';

export interface GroupSpec {
  readonly group: string;
  readonly present: boolean;
  readonly gid: number | undefined;
  readonly system: boolean;
  /** Exactly these, sorted; undefined leaves them. */
  readonly members: readonly string[] | undefined;
}

export interface GroupState {
  readonly manager: AccountManager;
  readonly record: GroupRecord | undefined;
}

const memberLimit = 5_000;

export function createGroupType(
  managerOf: (platform: Platform) => Promise<AccountManager>,
): ResourceType<GroupSpec, GroupState> {
  return {
    name: 'group',
    parameters: groupSchema.parameters,
    confinable: false,
    timeoutMs: 300_000,
    parse,
    observe: async (spec, context) => {
      const manager = await managerOf(context.platform);
      return { manager, record: (await manager.groups()).get(spec.group) };
    },
    compare,
    apply,
    foresee: foreseeGroup,
    foreseesAll: true,
    targets: () => [],
  };
}

function parse(values: Readonly<Record<string, PolicyValue>>): GroupSpec {
  const reader = new ParameterReader(groupSchema.parameters, values);
  const members = reader.list('members');
  const spec: GroupSpec = {
    group: reader.text('group') ?? '',
    present: reader.enumeration('state', ['present', 'absent']) !== 'absent',
    gid: reader.integer('gid', 0, idLimit),
    system: reader.boolean('system') ?? false,
    members: members === undefined ? undefined : [...new Set(members)].sort(),
  };
  checkName(reader, 'group', spec.group);
  for (const member of spec.members ?? []) checkName(reader, 'members', member);
  if ((spec.members?.length ?? 0) > memberLimit)
    reader.problem('members', `are more than ${memberLimit}`);
  if (!spec.present && spec.group === 'root') reader.problem('group', 'root cannot be removed');
  reader.finish();
  return spec;
}

function compare(spec: GroupSpec, { record }: GroupState): Drift {
  if (!spec.present)
    return record === undefined
      ? { action: 'none', reason: 'absent as declared' }
      : { action: 'deleted', reason: `group ${spec.group} exists` };
  if (record === undefined)
    return { action: 'created', reason: `group ${spec.group} does not exist` };
  const changes: string[] = [];
  if (hasOtherId(spec, record)) changes.push(`gid: ${record.gid} -> ${spec.gid}`);
  if (hasOtherMembers(spec, record))
    changes.push(`members: ${[...record.members].sort().join(',')} -> ${spec.members!.join(',')}`);
  if (changes.length === 0) return { action: 'none', reason: 'as declared' };
  return { action: 'updated', reason: changes.join('; '), diff: changes.join('\n') };
}

function hasOtherId(spec: GroupSpec, record: GroupRecord): boolean {
  return spec.gid !== undefined && spec.gid !== record.gid;
}

function hasOtherMembers(spec: GroupSpec, record: GroupRecord): boolean {
  return spec.members !== undefined && spec.members.join() !== [...record.members].sort().join();
}

async function apply(
  spec: GroupSpec,
  state: GroupState,
  _drift: Drift,
  { signal }: ResourceContext,
): Promise<void> {
  const { manager, record } = state;
  if (!spec.present) return manager.removeGroup(spec.group, signal);
  if (record === undefined)
    await manager.createGroup(spec.group, { gid: spec.gid, system: spec.system }, signal);
  else if (hasOtherId(spec, record)) await manager.changeGroupId(spec.group, spec.gid!, signal);
  const members = record ?? { name: spec.group, gid: 0, members: [] };
  if (hasOtherMembers(spec, members)) await manager.setMembers(spec.group, spec.members!, signal);
}
