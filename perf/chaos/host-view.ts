import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, readFileSync, readlinkSync } from 'node:fs';
import type { LabHost } from '../../test/lab/lab.ts';
import {
  cronText,
  type HostResource,
  type ResourceOf,
  sysctlFile,
  sysctlText,
} from '../mixed/description.ts';

const groupRoots = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified', '/sys/fs/cgroup/systemd'];
const wantedBy = '/etc/systemd/system/multi-user.target.wants';

/**
 * Looks at a lab host from outside, by its files, control groups and the kernel: it costs the host
 * no process and asks nothing of the agent.
 */
export class HostView {
  readonly #slice: readonly string[];

  constructor(host: LabHost, namespace: string) {
    this.#slice = groupRoots.map((root) => `${root}/${namespace}/${host.name}/payload`);
  }

  /** Whether it is as declared; false while the host is not there. */
  holds(one: HostResource): boolean {
    try {
      return this.#holds(one);
    } catch {
      return false;
    }
  }

  /** Of the main process of a service, as this machine numbers it; undefined when none runs. */
  processOf(service: string): number | undefined {
    return this.#processes(`system.slice/${service}.service`)[0];
  }

  /** Resident memory in KB; undefined when the process is gone. */
  memoryOf(pid: number): number | undefined {
    try {
      const text = readFileSync(`/proc/${pid}/status`, 'utf8');
      return Number(/^VmRSS:\s*(\d+)/m.exec(text)?.[1]);
    } catch {
      return undefined;
    }
  }

  #holds(one: HostResource): boolean {
    switch (one.kind) {
      case 'package':
        return this.#installed(one.package);
      case 'service':
        return this.#serves(one.service);
      case 'group':
        return this.#rows('/etc/group').some(
          ([name, , gid]) => name === one.group && gid === `${one.gid}`,
        );
      case 'user':
        return this.#hasUser(one);
      case 'directory':
        return this.#isOwned(one.path, one.mode, 'directory');
      case 'file':
        return this.#isOwned(one.path, one.mode, 'file') && this.#text(one.path) === one.content;
      case 'link':
        return readlinkSync(this.#path(one.path)) === one.to;
      case 'cron':
        return (
          this.#isOwned(cronPath(one), '0644', 'file') &&
          this.#text(cronPath(one)) === cronText(one)
        );
      case 'sysctl':
        return this.#hasSetting(one);
      case 'line':
        return this.#text(one.path).split('\n').includes(one.line);
    }
  }

  #installed(name: string): boolean {
    const stanza = new RegExp(`^Package: ${name}\\nStatus: install ok installed$`, 'm');
    return stanza.test(this.#text('/var/lib/dpkg/status'));
  }

  #serves(service: string): boolean {
    const unit = `${service}.service`;
    const masked = isLink(this.#path(`/etc/systemd/system/${unit}`));
    return (
      !masked && isLink(this.#path(`${wantedBy}/${unit}`)) && this.processOf(service) !== undefined
    );
  }

  #hasUser({ user, uid, gid, comment, home, shell }: ResourceOf<'user'>): boolean {
    const wanted = [user, 'x', `${uid}`, `${gid}`, comment, home, shell].join(':');
    const listed = this.#rows('/etc/passwd').some((fields) => fields.join(':') === wanted);
    return listed && lstatSync(this.#path(home)).isDirectory();
  }

  #hasSetting(one: ResourceOf<'sysctl'>): boolean {
    const { key, value } = one;
    const argv = ['-t', `${this.#leader()}`, '-n', 'cat', `/proc/sys/${key.replaceAll('.', '/')}`];
    const running = execFileSync('nsenter', argv, { encoding: 'utf8' }).trim();
    return running === value && this.#text(sysctlFile(one)) === sysctlText(one);
  }

  #isOwned(path: string, mode: string, kind: 'file' | 'directory'): boolean {
    const status = lstatSync(this.#path(path));
    const right = kind === 'file' ? status.isFile() : status.isDirectory();
    const bits = (status.mode & 0o7777) === Number.parseInt(mode, 8);
    return right && bits && status.uid === 0 && status.gid === 0;
  }

  #rows(path: string): string[][] {
    return this.#text(path)
      .split('\n')
      .map((line) => line.split(':'));
  }

  #text(path: string): string {
    return readFileSync(this.#path(path), 'utf8');
  }

  /** With all that is mounted in it. */
  #path(path: string): string {
    return `/proc/${this.#leader()}/root${path}`;
  }

  #leader(): number {
    const pid = this.#processes('init.scope')[0];
    if (pid === undefined) throw new Error('the host does not run');
    return pid;
  }

  #processes(group: string): number[] {
    for (const slice of this.#slice) {
      const path = `${slice}/${group}/cgroup.procs`;
      if (!existsSync(path)) continue;
      const pids = readFileSync(path, 'utf8').trim();
      return pids === '' ? [] : pids.split('\n').map(Number);
    }
    return [];
  }
}

function cronPath({ job }: ResourceOf<'cron'>): string {
  return `/etc/cron.d/${job}`;
}

function isLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch {
    return false;
  }
}
