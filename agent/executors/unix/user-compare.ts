import type { UserAttributes } from '../../platform/accounts/account-manager.ts';
import type { Drift } from '../contract.ts';
import { compareKeys } from './authorized-keys.ts';
import type { UserState } from './user.ts';
import type { UserSpec } from './user-spec.ts';

/** Homes that mean "none" and are never made. */
const noHomes = new Set(['/', '/nonexistent', '/dev/null']);

export function compareUser(spec: UserSpec, state: UserState): Drift {
  const { record } = state;
  if (!spec.present)
    return record === undefined
      ? { action: 'none', reason: 'absent as declared' }
      : { action: 'deleted', reason: `user ${spec.username} exists` };
  if (record === undefined)
    return { action: 'created', reason: `user ${spec.username} does not exist` };
  const changes = [
    ...attributeChanges(spec, state),
    ...(isMissingHome(spec, state) ? [`home: ${record.home} is missing`] : []),
    ...passwordChanges(spec, state),
    ...(spec.authorizedKeys === undefined
      ? []
      : compareKeys(spec.authorizedKeys, state.keys, record.uid)),
  ];
  if (changes.length === 0) return { action: 'none', reason: 'as declared' };
  return { action: 'updated', reason: changes.join('; '), diff: changes.join('\n') };
}

/** What usermod has to set; empty when the account line and the groups are as declared. */
export function wantedAttributes(spec: UserSpec, state: UserState): UserAttributes {
  const record = state.record!;
  const groups = spec.groups;
  return {
    ...(spec.uid === undefined || spec.uid === record.uid ? {} : { uid: spec.uid }),
    ...(spec.shell === undefined || spec.shell === record.shell ? {} : { shell: spec.shell }),
    ...(spec.home === undefined || spec.home === record.home ? {} : { home: spec.home }),
    ...(spec.comment === undefined || spec.comment === record.comment
      ? {}
      : { comment: spec.comment }),
    ...(isPrimaryGroup(spec, state) ? {} : { group: spec.group }),
    ...(groups === undefined || groups.join() === supplementary(spec, state).join()
      ? {}
      : { groups }),
  };
}

function attributeChanges(spec: UserSpec, state: UserState): string[] {
  const record = state.record!;
  const present: Readonly<Record<keyof UserAttributes, string>> = {
    uid: String(record.uid),
    shell: record.shell,
    home: record.home,
    comment: record.comment,
    group: String(record.gid),
    groups: supplementary(spec, state).join(','),
  };
  return Object.entries(wantedAttributes(spec, state)).map(
    ([name, wanted]) => `${name}: ${present[name as keyof UserAttributes]} -> ${wanted}`,
  );
}

function isPrimaryGroup(spec: UserSpec, { record, groups }: UserState): boolean {
  if (spec.group === undefined) return true;
  const gid = /^\d+$/.test(spec.group) ? Number(spec.group) : groups.get(spec.group)?.gid;
  return gid === record!.gid;
}

/** Groups that list the user, without the primary one unless it is declared here too. */
function supplementary(spec: UserSpec, { record, groups }: UserState): readonly string[] {
  return [...groups.values()]
    .filter((group) => group.members.includes(spec.username))
    .filter((group) => group.gid !== record!.gid || spec.groups?.includes(group.name))
    .map((group) => group.name)
    .sort();
}

export function isMissingHome(spec: UserSpec, { record, home }: UserState): boolean {
  if (!spec.manageHome || record === undefined || noHomes.has(record.home)) return false;
  return home === undefined && (spec.home === undefined || spec.home === record.home);
}

function passwordChanges(spec: UserSpec, state: UserState): string[] {
  const changes = state.passwordMatches === false ? ['password: differs'] : [];
  const age = spec.passwordMaximumAge;
  if (age === undefined || age === state.passwordMaximumAge) return changes;
  return [...changes, `password_max_age: ${state.passwordMaximumAge} -> ${age}`];
}
