import type { HostResource } from './description.ts';

const moduleName = 'lab';

/** The description as a stack for every host. */
export function vigoStack(resources: readonly HostResource[]): Record<string, string> {
  const list = resources.map((one) => JSON.stringify(vigoResource(one)));
  return {
    [`modules/${moduleName}.vgo`]: `name: ${moduleName}\nresources:\n  - ${list.join('\n  - ')}\n`,
    'site.vgo': `envoys:\n  - match: "*"\n    modules: [${moduleName}]\n`,
  };
}

/** As the server's history names it. */
export function vigoId({ name }: HostResource): string {
  return `${moduleName}/${name}`;
}

function vigoResource(one: HostResource): Readonly<Record<string, unknown>> {
  const { name, kind } = one;
  switch (kind) {
    case 'package':
      return { name, type: 'package', package: one.package };
    case 'service':
      return {
        ...{ name, type: 'service', service: one.service, state: 'running', enabled: true },
        ...(one.package === undefined ? {} : { depends_on: [`package ${one.package}`] }),
      };
    case 'group':
      return { name, type: 'group', group: one.group, gid: one.gid };
    case 'user': {
      const { user: username, uid, group, comment, home, shell } = one;
      const wanted = { username, uid, group, comment, home, shell };
      return { name, type: 'user', ...wanted, depends_on: [`group ${group}`] };
    }
    case 'directory':
      return { name, type: 'directory', target_path: one.path, mode: one.mode, ...rootOwned };
    case 'file': {
      const { path: target_path, mode, content } = one;
      return { name, type: 'file', target_path, mode, content, ...rootOwned };
    }
    case 'link':
      return { name, type: 'symlink', target_path: one.path, to: one.to, force: true };
    case 'cron':
      return { name, type: 'cron', schedule: one.schedule, command: one.command };
    case 'sysctl':
      return { name, type: 'sysctl', key: one.key, value: one.value };
    case 'line':
      return { name, type: 'file_line', target_path: one.path, line: one.line };
  }
}

const rootOwned = { owner: 'root', group: 'root' };
