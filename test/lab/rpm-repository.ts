import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LabHost } from './lab.ts';

export interface SmallPackage {
  readonly name: string;
  readonly version: string;
  readonly requires?: string;
}

const built = '/srv/rpm';

/** Builds the packages in the host, which needs rpm and createrepo-c, and makes dnf and zypper use them. */
export async function publishRpms(host: LabHost, packages: readonly SmallPackage[]): Promise<void> {
  const builds = packages.map((one, index) => {
    writeFileSync(join(host.root, `root/${index}.spec`), spec(one));
    return `rpmbuild -bb --quiet --define '_topdir /root/rpmbuild' /root/${index}.spec`;
  });
  await host.must([
    'sh',
    '-ec',
    `mkdir -p /etc/rpm /etc/zypp/repos.d /etc/yum.repos.d /etc/dnf/vars ${built}
    echo '%_dbpath /var/lib/rpm' >/etc/rpm/macros
    echo 12 >/etc/dnf/vars/releasever
    rpm --initdb
    (${builds.join('; ')}) 2>/dev/null
    find /root/rpmbuild -name '*.rpm' -exec cp {} ${built} ';'
    createrepo_c -q ${built}`,
  ]);
  useRpms(host, built);
}

/** Points dnf and zypper at a directory of the host. */
export function useRpms(host: LabHost, directory = built): void {
  const text = `[lab]\nname=lab\nbaseurl=file://${directory}\ngpgcheck=0\n`;
  for (const place of ['etc/yum.repos.d', 'etc/zypp/repos.d']) {
    rmSync(join(host.root, place, 'lab.repo'), { force: true });
    writeFileSync(join(host.root, place, 'lab.repo'), text);
  }
}

function spec({ name, version, requires }: SmallPackage): string {
  return `Name: ${name}
Version: ${version}
Release: 1
Summary: made by a test
License: none
BuildArch: noarch
AutoReqProv: no
${requires === undefined ? '' : `Requires: ${requires}`}
%description
made by a test
%install
mkdir -p %{buildroot}/etc
echo ${version} >%{buildroot}/etc/${name}.conf
%files
%config(noreplace) /etc/${name}.conf
`;
}
