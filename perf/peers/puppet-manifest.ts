import { cronText, type HostResource, sysctlFile, sysctlText } from '../mixed/description.ts';

/** The description for `puppet apply`. */
export function puppetManifest(resources: readonly HostResource[]): string {
  return `${resources.map(puppetResource).join('\n')}\n`;
}

function puppetResource(one: HostResource): string {
  const { name } = one;
  switch (one.kind) {
    case 'package':
      return declare('package', one.package, { ensure: 'installed' });
    case 'service': {
      const state = { ensure: 'running', enable: raw('true') };
      if (one.package === undefined) return declare('service', one.service, state);
      const require = raw(`Package['${one.package}']`);
      return declare('service', one.service, { ...state, require });
    }
    case 'group':
      return declare('group', one.group, { ensure: 'present', gid: raw(`${one.gid}`) });
    case 'user': {
      const { uid, gid, home, shell, comment } = one;
      const numbers = { uid: raw(`${uid}`), gid: raw(`${gid}`) };
      const rest = { managehome: raw('true'), home, shell, comment };
      return declare('user', one.user, { ensure: 'present', ...numbers, ...rest });
    }
    case 'directory':
      return declare('file', one.path, { ensure: 'directory', mode: one.mode, ...rootOwned });
    case 'file':
      return file(one.path, one.mode, one.content);
    case 'link':
      return declare('file', one.path, { ensure: 'link', target: one.to });
    case 'cron':
      return file(`/etc/cron.d/${one.job}`, '0644', cronText(one));
    case 'sysctl': {
      const { key, value } = one;
      const command = `/sbin/sysctl -qw ${key}=${value}`;
      const unless = `/usr/bin/test "$(/sbin/sysctl -n ${key})" = ${value}`;
      const set = declare('exec', name, { command, unless, provider: 'shell' });
      return `${file(sysctlFile(one), '0644', sysctlText(one))}\n${set}`;
    }
    case 'line':
      return declare('file_line', name, { path: one.path, line: one.line });
  }
}

const rootOwned = { owner: 'root', group: 'root' };

interface Raw {
  readonly text: string;
}

/** Not to be quoted. */
function raw(text: string): Raw {
  return { text };
}

function file(path: string, mode: string, content: string): string {
  return declare('file', path, { ensure: 'file', mode, content, ...rootOwned });
}

function declare(
  type: string,
  title: string,
  attributes: Readonly<Record<string, string | Raw>>,
): string {
  const list = Object.entries(attributes).map(
    ([name, value]) => `${name} => ${typeof value === 'string' ? quoted(value) : value.text}`,
  );
  return `${type} { ${quoted(title)}: ${list.join(', ')} }`;
}

function quoted(value: string): string {
  return `'${value.replace(/[\\']/g, '\\$&')}'`;
}
