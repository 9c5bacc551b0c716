import type { Permission } from '../api/permissions.ts';
import type { IconName } from './components/icon.ts';

export interface NavigationEntry {
  readonly path: string;
  readonly label: string;
  readonly icon: IconName;
  /** The second key after `g`. */
  readonly key: string;
  /** Without it the entry is not shown. */
  readonly access: Permission;
}

export interface NavigationGroup {
  readonly label: string;
  readonly entries: readonly NavigationEntry[];
}

/** The sidebar. A page belongs to the entry whose path its own path begins with. */
export const navigation: readonly NavigationGroup[] = [
  {
    label: 'Fleet',
    entries: [
      { path: '/', label: 'Overview', icon: 'gauge', key: 'o', access: 'status.read' },
      { path: '/envoys', label: 'Envoys', icon: 'server', key: 'e', access: 'envoys.read' },
      { path: '/runs', label: 'Runs', icon: 'activity', key: 'r', access: 'runs.read' },
      { path: '/enrollment', label: 'Enrollment', icon: 'key', key: 'n', access: 'tokens.read' },
    ],
  },
  {
    label: 'Policy',
    entries: [
      { path: '/policy', label: 'Versions', icon: 'layers', key: 'v', access: 'config.read' },
      { path: '/plans', label: 'Plans', icon: 'plan', key: 'p', access: 'config.read' },
      { path: '/approvals', label: 'Approvals', icon: 'check', key: 'a', access: 'config.read' },
      { path: '/rollout', label: 'Rollout', icon: 'rollout', key: 'u', access: 'config.read' },
      {
        path: '/work',
        label: 'Tasks, workflows',
        icon: 'workflow',
        key: 'w',
        access: 'envoys.read',
      },
    ],
  },
  {
    label: 'Trust',
    entries: [
      { path: '/audit', label: 'Audit', icon: 'shield', key: 'd', access: 'audit.read' },
      { path: '/secrets', label: 'Secrets', icon: 'key', key: 's', access: 'secrets.list' },
      { path: '/people', label: 'People', icon: 'users', key: 'l', access: 'access.read' },
    ],
  },
  {
    label: 'Server',
    entries: [
      { path: '/server', label: 'Health', icon: 'heart', key: 'h', access: 'status.read' },
      {
        path: '/releases',
        label: 'Agent releases',
        icon: 'tag',
        key: 'x',
        access: 'releases.read',
      },
    ],
  },
];

/** Places that are not in the sidebar, for the help on keys. */
export const accountPath = '/account';

/** The entry that a path belongs to: the longest that it begins with. */
export function entryOf(path: string): NavigationEntry | undefined {
  return navigation
    .flatMap(({ entries }) => entries)
    .filter((entry) => path === entry.path || path.startsWith(`${entry.path}/`))
    .sort((one, other) => other.path.length - one.path.length)[0];
}
