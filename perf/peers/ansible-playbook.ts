import {
  cronText,
  type HostResource,
  ofKind,
  sysctlFile,
  sysctlText,
} from '../mixed/description.ts';

type Item = Readonly<Record<string, unknown>>;

/** The description for `ansible-playbook -c local`, by loops, as is usual there. JSON is YAML. */
export function ansiblePlaybook(resources: readonly HostResource[]): string {
  const packages = ofKind(resources, 'package').map((one) => one.package);
  const tasks = [
    ...(packages.length === 0 ? [] : [task('apt', { name: packages, state: 'present' })]),
    ...loop('group', ofKind(resources, 'group'), ({ group: name, gid }) => ({ name, gid })),
    ...loop('user', ofKind(resources, 'user'), ({ user: name, ...one }) => {
      const { uid, group, comment, home, shell } = one;
      return { name, uid, group, comment, home, shell };
    }),
    ...loop('file', ofKind(resources, 'directory'), ({ path, mode }) => ({
      ...{ path, mode, state: 'directory' },
      ...rootOwned,
    })),
    ...loop('copy', files(resources), (item) => item),
    ...loop('file', ofKind(resources, 'link'), ({ path, to }) => ({
      ...{ path, src: to, state: 'link' },
    })),
    ...loop('shell', ofKind(resources, 'sysctl'), ({ key, value }) => ({
      cmd: `[ "$(sysctl -n ${key})" = ${value} ] || { sysctl -qw ${key}=${value}; echo set; }`,
    })),
    ...loop('lineinfile', ofKind(resources, 'line'), ({ path, line }) => ({ path, line })),
    ...loop('systemd', ofKind(resources, 'service'), ({ service: name }) => ({
      ...{ name, state: 'started', enabled: true },
    })),
  ];
  return `${JSON.stringify([{ hosts: 'localhost', gather_facts: false, tasks }], undefined, 1)}\n`;
}

const rootOwned = { owner: 'root', group: 'root' };

function files(resources: readonly HostResource[]): readonly Item[] {
  const file = (dest: string, mode: string, content: string) => ({
    ...{ dest, mode, content },
    ...rootOwned,
  });
  return [
    ...ofKind(resources, 'file').map((one) => file(one.path, one.mode, one.content)),
    ...ofKind(resources, 'cron').map((one) =>
      file(`/etc/cron.d/${one.job}`, '0644', cronText(one)),
    ),
    ...ofKind(resources, 'sysctl').map((one) => file(sysctlFile(one), '0644', sysctlText(one))),
  ];
}

/** One task over all items; nothing when there are none. */
function loop<One>(module: string, list: readonly One[], toItem: (one: One) => Item): Item[] {
  const items = list.map(toItem);
  if (items[0] === undefined) return [];
  const names = Object.keys(items[0]);
  const fields = Object.fromEntries(names.map((name) => [name, `{{ item.${name} }}`]));
  const changed =
    module === 'shell' ? { register: 'told', changed_when: "told.stdout == 'set'" } : {};
  return [{ ...task(module, fields), loop: items, ...changed }];
}

function task(module: string, values: Item): Item {
  return { [`ansible.builtin.${module}`]: values };
}
