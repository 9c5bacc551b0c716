import { type HostResource, smallDisk, sysctlFile } from '../mixed/description.ts';

/** What somebody may do to a resource by hand. */
export interface Damage {
  readonly what: string;
  /** For `sh -e`, as the host's root. */
  readonly script: string;
  /** Names of further resources that it takes along. */
  readonly also: readonly string[];
}

export function damagesOf(one: HostResource): readonly Damage[] {
  switch (one.kind) {
    case 'package':
      return packageDamages(one.package);
    case 'service':
      return serviceDamages(one.service);
    case 'group':
      return [
        damage('renumbered', locked(`groupmod -g ${one.gid + 500} ${one.group}`)),
        // A group that is somebody's primary one cannot be deleted.
        ...(one.gid < 3005 ? [] : [damage('deleted', locked(`groupdel ${one.group}`))]),
      ];
    case 'user':
      return [
        damage('deleted', locked(`userdel -r ${one.user} 2>/dev/null`)),
        damage('other shell', locked(`usermod -s /bin/sh ${one.user}`)),
        damage('other comment', locked(`usermod -c somebody ${one.user}`)),
        damage('home deleted', `rm -r ${one.home}`),
      ];
    case 'directory':
      return [
        damage('made writable', `chmod 777 ${one.path}`),
        damage('given away', `chown daemon ${one.path}`),
        ...(one.path.includes('part-') ? [damage('deleted', `rm -r ${one.path}`)] : []),
      ];
    case 'file':
      return fileDamages(one.path, one.mode);
    case 'link':
      return [
        damage('deleted', `rm ${one.path}`),
        damage('pointed elsewhere', `ln -sfn /etc/shadow ${one.path}`),
        damage('replaced by a file', `rm ${one.path}; echo mine >${one.path}`),
      ];
    case 'cron':
      return fileDamages(`/etc/cron.d/${one.job}`, '0644');
    case 'sysctl':
      return [
        damage(
          'set otherwise',
          `echo ${otherValue(one.value)} >/proc/sys/${one.key.replaceAll('.', '/')}`,
        ),
        damage('file deleted', `rm ${sysctlFile(one)}`),
      ];
    case 'line':
      return [
        damage('deleted', `sed -i '\\|^${one.line}$|d' ${one.path}`),
        damage('commented out', `sed -i 's|^${one.line}$|# &|' ${one.path}`),
      ];
  }
}

/** Switches know 0 and 1; the other settings take a number one higher. */
function otherValue(value: string): string {
  return value === '1' ? '0' : `${Number(value) + 1}`;
}

/** Whether it lies where a host may have little room. */
export function isOnSmallDisk(one: HostResource): boolean {
  return one.kind === 'file' && one.path.startsWith(`${smallDisk}/`);
}

function damage(what: string, script: string, also: readonly string[] = []): Damage {
  return { what, script, also };
}

function fileDamages(path: string, mode: string): readonly Damage[] {
  return [
    damage('deleted', `rm ${path}`),
    damage('edited', `echo '# mine' >>${path}`),
    damage('emptied', `: >${path}`),
    damage('other mode', `chmod ${mode === '0666' ? '0600' : '0666'} ${path}`),
    damage('given away', `chown daemon:daemon ${path}`),
    damage('replaced by a link', `ln -s /etc/hostname ${path}.mine; mv -T ${path}.mine ${path}`),
    damage('replaced by a directory', `rm ${path}; mkdir ${path}`),
  ];
}

function packageDamages(name: string): readonly Damage[] {
  const also = name.startsWith('lab-svc-') ? [`service ${name}`] : [];
  return [
    damage('removed', locked(`dpkg -r ${name} >/dev/null 2>&1`), also),
    damage('purged', locked(`dpkg -P ${name} >/dev/null 2>&1`), also),
  ];
}

function serviceDamages(service: string): readonly Damage[] {
  const unit = `${service}.service`;
  return [
    damage('stopped', `systemctl -q stop ${unit}`),
    damage('disabled', `systemctl -q disable ${unit}`),
    damage('stopped and disabled', `systemctl -q disable --now ${unit}`),
    // systemd starts cron again by itself.
    ...(service === 'cron' ? [] : [damage('killed', `systemctl -q kill -s KILL ${unit}`)]),
    damage('masked', `systemctl -q mask --now ${unit}`),
  ];
}

/** Tools that share a lock with the agent's wait for it. */
function locked(command: string): string {
  return `for try in $(seq 40); do if ${command}; then exit 0; fi; sleep 0.5; done; exit 1`;
}
