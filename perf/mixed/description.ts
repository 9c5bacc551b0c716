/** One thing that every tool is told to keep on the host; names are unique. */
export type HostResource = { readonly name: string } & (
  | { readonly kind: 'package'; readonly package: string }
  | { readonly kind: 'service'; readonly service: string; readonly package?: string }
  | { readonly kind: 'group'; readonly group: string; readonly gid: number }
  | {
      readonly kind: 'user';
      readonly user: string;
      readonly uid: number;
      readonly group: string;
      readonly gid: number;
      readonly comment: string;
      readonly home: string;
      readonly shell: string;
    }
  | { readonly kind: 'directory'; readonly path: string; readonly mode: string }
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly mode: string;
      readonly content: string;
    }
  | { readonly kind: 'link'; readonly path: string; readonly to: string }
  | {
      readonly kind: 'cron';
      readonly job: string;
      readonly schedule: string;
      readonly command: string;
    }
  | { readonly kind: 'sysctl'; readonly key: string; readonly value: string }
  | { readonly kind: 'line'; readonly path: string; readonly line: string }
);

export type Kind = HostResource['kind'];
export type ResourceOf<Name extends Kind> = Extract<HostResource, { kind: Name }>;
export type Counts = Readonly<Record<Kind, number>>;

/** A small server: 300 resources. */
export const fullHost: Counts = {
  package: 35,
  service: 21,
  group: 20,
  user: 25,
  directory: 15,
  file: 110,
  link: 10,
  cron: 25,
  sysctl: 15,
  line: 24,
};

/** The same in 60, for a test that has seconds. */
export const smallHost: Counts = {
  package: 5,
  service: 4,
  group: 5,
  user: 4,
  directory: 4,
  file: 22,
  link: 3,
  cron: 5,
  sysctl: 4,
  line: 4,
};

/** 100 files and nothing else. */
export const filesHost: Counts = {
  ...{ package: 0, service: 0, group: 0, user: 0, directory: 0 },
  ...{ file: 100, link: 0, cron: 0, sysctl: 0, line: 0 },
};

/** Where some of the files lie; a host may have little room there. */
export const smallDisk = '/srv/small';
const fileBytes = 2048;
const primaryGroups = 5;

/** Settings of a network namespace, so that each host has its own; none is at its default. */
const sysctls: readonly (readonly [string, string])[] = [
  ['net.ipv4.tcp_fin_timeout', '31'],
  ['net.ipv4.tcp_keepalive_time', '601'],
  ['net.ipv4.tcp_keepalive_intvl', '61'],
  ['net.ipv4.tcp_keepalive_probes', '6'],
  ['net.ipv4.conf.all.log_martians', '1'],
  ['net.ipv4.conf.all.send_redirects', '0'],
  ['net.ipv4.conf.default.send_redirects', '0'],
  ['net.ipv4.conf.all.accept_redirects', '0'],
  ['net.ipv4.conf.default.log_martians', '1'],
  ['net.ipv4.icmp_echo_ignore_all', '1'],
  ['net.ipv4.tcp_slow_start_after_idle', '0'],
  ['net.ipv4.tcp_retries2', '14'],
  ['net.ipv4.tcp_syn_retries', '5'],
  ['net.ipv4.tcp_orphan_retries', '3'],
  ['net.ipv4.tcp_reordering', '4'],
];

/** In an order that every tool can follow from top to bottom. */
export function describeHost(counts: Counts): readonly HostResource[] {
  return [
    ...packages(counts),
    ...services(counts),
    ...times(counts.group, groupAt),
    ...times(counts.user, userAt),
    ...directories(counts),
    ...times(counts.file, fileAt),
    ...times(counts.link, linkAt),
    ...times(counts.cron, cronAt),
    ...sysctls.slice(0, counts.sysctl).map(sysctlOf),
    ...times(counts.line, lineAt),
  ];
}

export function ofKind<Name extends Kind>(
  resources: readonly HostResource[],
  kind: Name,
): readonly ResourceOf<Name>[] {
  return resources.filter((one): one is ResourceOf<Name> => one.kind === kind);
}

const managedHeader = '# Managed by vigo; changes made here are undone.';

/** Where a setting lies for the next boot. */
export function sysctlFile({ key }: ResourceOf<'sysctl'>): string {
  return `/etc/sysctl.d/99-vigo-${key}.conf`;
}

export function sysctlText({ key, value }: ResourceOf<'sysctl'>): string {
  return `${managedHeader}\n${key} = ${value}\n`;
}

/** What /etc/cron.d/<job> holds. */
export function cronText({ schedule, command }: ResourceOf<'cron'>): string {
  return `${managedHeader}\n${schedule} root ${command}\n`;
}

function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

/** Each service but cron comes with a package of its own; the other packages bring a file. */
function packages({ package: count, service }: Counts): HostResource[] {
  return times(count, (index) => {
    const name = index < service - 1 ? servicePackage(index) : `lab-tool-${index}`;
    return { kind: 'package', name: `package ${name}`, package: name };
  });
}

function servicePackage(index: number): string {
  return `lab-svc-${index}`;
}

function services({ service: count }: Counts): HostResource[] {
  return times(count, (index) => {
    if (index === count - 1) return { kind: 'service', name: 'service cron', service: 'cron' };
    const service = servicePackage(index);
    return { kind: 'service', name: `service ${service}`, service, package: service };
  });
}

function groupAt(index: number): HostResource {
  const group = `labg${index}`;
  return { kind: 'group', name: `group ${group}`, group, gid: 3000 + index };
}

function userAt(index: number): HostResource {
  const user = `labu${index}`;
  const group = index % primaryGroups;
  return {
    kind: 'user',
    name: `user ${user}`,
    user,
    uid: 4000 + index,
    group: `labg${group}`,
    gid: 3000 + group,
    comment: `Lab user ${index}`,
    home: `/home/${user}`,
    shell: index % 2 === 0 ? '/bin/bash' : '/usr/sbin/nologin',
  };
}

function directories({ directory: count }: Counts): HostResource[] {
  const fixed = ['/etc/lab', '/srv/lab', smallDisk];
  return times(count, (index) => {
    const path = fixed[index] ?? `/srv/lab/part-${index}`;
    return { kind: 'directory', name: `directory ${path}`, path, mode: '0755' };
  });
}

function fileAt(index: number): HostResource {
  const parent = index % 11 === 10 ? smallDisk : '/etc/lab';
  const path = `${parent}/part-${index}.conf`;
  const mode = index % 3 === 0 ? '0600' : '0644';
  const line = `setting_${index} = ${'x'.repeat(40)}\n`;
  const content = line.repeat(Math.ceil(fileBytes / line.length));
  return { kind: 'file', name: `file ${path}`, path, mode, content };
}

function linkAt(index: number): HostResource {
  const path = `/srv/lab/link-${index}`;
  return { kind: 'link', name: `link ${path}`, path, to: `/etc/lab/part-${index}.conf` };
}

/** At a time that does not come while it is measured. */
function cronAt(index: number): HostResource {
  const job = `lab-job-${index}`;
  const schedule = `${index} 4 29 2 *`;
  return { kind: 'cron', name: job, job, schedule, command: `echo ${index} >/dev/null` };
}

function sysctlOf([key, value]: readonly [string, string]): HostResource {
  return { kind: 'sysctl', name: `sysctl ${key}`, key, value };
}

function lineAt(index: number): HostResource {
  const [path, line] =
    index % 2 === 0
      ? ['/etc/hosts', `10.98.0.${index} lab-peer-${index}`]
      : ['/etc/profile', `export LAB_SETTING_${index}=on`];
  return { kind: 'line', name: `line ${index}`, path, line };
}
