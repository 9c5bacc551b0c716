import type { PolicyValue } from '../../../agent/protocol/bundle.ts';

/** Type -> kind of thing, and the parameter that names it; without one there is only one such thing. */
export const identities: Readonly<Record<string, readonly [kind: string, parameter?: string]>> = {
  file: ['path', 'target_path'],
  directory: ['path', 'target_path'],
  symlink: ['path', 'target_path'],
  package: ['package', 'package'],
  service: ['service', 'service'],
  user: ['user', 'username'],
  group: ['group', 'group'],
  cron: ['cron job', 'name'],
  sysctl: ['kernel parameter', 'key'],
  kernel_module: ['kernel module', 'module'],
  mount: ['mount point', 'path'],
  swap: ['swap file', 'path'],
  git: ['checkout', 'path'],
  repository: ['package source', 'repository'],
  tmpfile: ['tmpfiles entry', 'name'],
  logrotate: ['logrotate entry', 'name'],
  hostname: ['the host name'],
  timezone: ['the time zone'],
};

/** Parameters about the way to a state, and not about the state. */
export const manner: ReadonlySet<string> = new Set([
  'name',
  'validate',
  'backup',
  'timeout',
  'force',
  'restart_command',
  'reload_command',
  'manage_home',
  'update_cache',
  'post_cleanup',
  'flags',
  'allow_downgrade',
  'persist',
  'depth',
  'purge',
]);

/** What a resource manages, such as "path /etc/motd"; undefined when its type has no such thing. */
export function thingOf(
  type: string,
  parameters: Readonly<Record<string, PolicyValue>>,
): string | undefined {
  const [kind, parameter] = Object.hasOwn(identities, type) ? identities[type]! : [];
  if (kind === undefined) return undefined;
  if (parameter === undefined) return kind;
  return `${kind} ${normalName(kind, String(parameters[parameter] ?? ''))}`;
}

/** The name of a thing in the form in which names are compared. */
export function normalName(kind: string, value: string): string {
  if (kind === 'service') return value.replace(/\.service$/, '');
  if (kind !== 'path') return value;
  const segments: string[] = [];
  for (const segment of value.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  return `/${segments.join('/')}`;
}
