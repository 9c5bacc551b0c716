import {
  cronText,
  type HostResource,
  ofKind,
  type ResourceOf,
  sysctlFile,
  sysctlText,
} from '../mixed/description.ts';

const library = '/var/lib/cfengine3/masterfiles/lib';
/**
 * Without its file for packages: its module asks dpkg every four hours only, or once per package. One
 * list of dpkg per run is what sees a removed package in the next run at the least cost.
 */
const inputs = ['common', 'paths', 'files', 'commands', 'services'].map(
  (name) => `"${library}/${name}.cf"`,
);

/** The description for `cf-agent -Kf`, as its own documentation would have it written. */
export function cfenginePolicy(resources: readonly HostResource[]): string {
  return `body common control
{
  bundlesequence => { "lab" };
  inputs => { ${inputs.join(', ')} };
}
bundle agent lab
{
${section('packages', ofKind(resources, 'package').map(packagePromise))}
${section('commands', [
  ...ofKind(resources, 'group').map(groupPromise),
  ...ofKind(resources, 'sysctl').map(settingPromise),
])}
${section('users', ofKind(resources, 'user').map(userPromise))}
${section('files', [
  ...ofKind(resources, 'directory').map(directoryPromise),
  ...ofKind(resources, 'file').map((one) => filePromise(one.path, one.mode, one.content)),
  ...ofKind(resources, 'cron').map((one) =>
    filePromise(`/etc/cron.d/${one.job}`, '0644', cronText(one)),
  ),
  ...ofKind(resources, 'sysctl').map((one) =>
    filePromise(sysctlFile(one), '0644', sysctlText(one)),
  ),
  ...ofKind(resources, 'link').map(linkPromise),
  ...linePromises(ofKind(resources, 'line')),
])}
${section('services', ofKind(resources, 'service').map(servicePromise))}
}
body link_from lab_link(to)
{
  source => "$(to)";
  link_type => "symlink";
}
body package_method lab_dpkg
{
  package_changes => "individual";
  package_list_command => "/usr/bin/dpkg -l";
  package_list_name_regex => "[ih]i\\s+([^\\s:]+).*";
  package_list_version_regex => "[ih]i\\s+[^\\s]+\\s+([^\\s]+).*";
  package_installed_regex => "[ih]i.*";
  package_list_update_ifelapsed => "0";
  package_name_convention => "$(name)";
  package_add_command => "/usr/bin/apt-get --yes install";
}
`;
}

function section(name: string, promises: readonly string[]): string {
  return promises.length === 0 ? '' : `${name}:\n${promises.join('\n')}`;
}

/** As policy text: between single quotes only those and backslashes mean something. */
function text(value: string): string {
  return `'${value.replace(/[\\']/g, '\\$&')}'`;
}

function packagePromise({ package: name }: ResourceOf<'package'>): string {
  return `  "${name}" package_policy => "add", package_method => lab_dpkg;`;
}

function groupPromise({ group, gid }: ResourceOf<'group'>): string {
  return `  "/usr/sbin/groupadd -g ${gid} ${group}"
    if => not(regline("^${group}:[^:]*:${gid}:.*", "/etc/group"));`;
}

function settingPromise({ key, value }: ResourceOf<'sysctl'>): string {
  return `  "/sbin/sysctl -qw ${key}=${value}"
    if => not(regline("^${value}$", "/proc/sys/${key.replaceAll('.', '/')}"));`;
}

function userPromise({ user, uid, group, comment, home, shell }: ResourceOf<'user'>): string {
  return `  "${user}" policy => "present", uid => "${uid}", group_primary => "${group}",
    description => ${text(comment)}, home_dir => "${home}", shell => "${shell}";`;
}

function filePromise(path: string, mode: string, content: string): string {
  return `  "${path}" create => "true", content => ${text(content)},
    perms => mog("${mode}", "root", "root");`;
}

function directoryPromise({ path, mode }: ResourceOf<'directory'>): string {
  return `  "${path}/." create => "true", perms => mog("${mode}", "root", "root");`;
}

function linkPromise({ path, to }: ResourceOf<'link'>): string {
  return `  "${path}" link_from => lab_link("${to}"), move_obstructions => "true";`;
}

/** All lines of a file at once, as is usual there. */
function linePromises(lines: readonly ResourceOf<'line'>[]): readonly string[] {
  return [...new Set(lines.map(({ path }) => path))].map((path) => {
    const wanted = lines.filter((one) => one.path === path).map(({ line }) => line);
    return `  "${path}" edit_line => insert_lines(${text(wanted.join('\n'))});`;
  });
}

/** `start` also enables. */
function servicePromise({ service }: ResourceOf<'service'>): string {
  return ['start', 'enable']
    .map(
      (policy) => `  "${service}" handle => "${service}_${policy}", service_policy => "${policy}";`,
    )
    .join('\n');
}
