import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LabHost } from './lab.ts';
import type { SmallPackage } from './rpm-repository.ts';

const built = '/srv/pacman';

/**
 * Builds the packages in the host, which needs bsdtar and zstd; pacman is offered the last version
 * of each, the others lie among its downloads.
 */
export async function publishPacmanPackages(
  host: LabHost,
  packages: readonly SmallPackage[],
): Promise<void> {
  const text = packages.map(build).join('\n');
  await host.must([
    'sh',
    '-ec',
    `mkdir -p ${built} /var/lib/pacman/local /var/cache/pacman/pkg /root/database
    cd /root
    ${text}
    tar -C database -czf ${built}/lab.db $(ls database)
    cp ${built}/*.zst /var/cache/pacman/pkg`,
  ]);
  usePacmanPackages(host, built);
}

/** Points pacman at a directory of the host. */
export function usePacmanPackages(host: LabHost, directory = built): void {
  writeFileSync(
    join(host.root, 'etc/pacman.conf'),
    `[options]
Architecture = auto
SigLevel = Never
[lab]
Server = file://${directory}
`,
  );
}

/** A package is a tar of .PKGINFO and its files; the database a tar of one "desc" for each. */
function build({ name, version, requires }: SmallPackage): string {
  const full = `${version}-1`;
  const file = `${name}-${full}-any.pkg.tar.zst`;
  const depend = requires === undefined ? '' : `depend = ${requires}\\n`;
  const depends = requires === undefined ? '' : `%%DEPENDS%%\\n${requires}\\n\\n`;
  return `rm -rf package database/${name}-*; mkdir -p package/etc database/${name}-${full}
    echo ${version} >package/etc/${name}.conf
    printf 'pkgname = ${name}\\npkgver = ${full}\\npkgdesc = x\\narch = any\\nsize = 4\\n${depend}' \\
      >package/.PKGINFO
    bsdtar --uid 0 --gid 0 -C package --zstd -cf ${built}/${file} .PKGINFO etc
    printf '%%FILENAME%%\\n${file}\\n\\n%%NAME%%\\n${name}\\n\\n%%VERSION%%\\n${full}\\n\\n' \\
      >database/${name}-${full}/desc
    printf '%%ARCH%%\\nany\\n\\n%%CSIZE%%\\n%s\\n\\n${depends}' "$(stat -c %s ${built}/${file})" \\
      >>database/${name}-${full}/desc`;
}
