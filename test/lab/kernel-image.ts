import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { baseRoot, labDirectory } from './base.ts';
import { builtOnce } from './built-once.ts';
import { debianPackages } from './debian-packages.ts';

const here = dirname(fileURLToPath(import.meta.url));
const script = join(here, 'kernel-image.sh');
/** A kernel, what a host with one of its own needs beyond the base root, and SELinux. */
const packages = [
  'user-mode-linux',
  'kmod',
  'udev',
  'openssh-server',
  'acl',
  'attr',
  'selinux-utils',
  'policycoreutils',
  'policycoreutils-python-utils',
  'selinux-policy-default',
];

/**
 * Directory with `linux.uml`, `shim.so`, `root.img` and `key`, built once per machine (about ten
 * seconds beyond the base root).
 */
export function kernelImage(): string {
  const base = baseRoot();
  const recipe = createHash('sha256').update(JSON.stringify([basename(base), packages]));
  for (const file of [script, join(here, 'kernel-shim.c')]) recipe.update(readFileSync(file));
  const image = join(labDirectory(), `kernel-${recipe.digest('hex').slice(0, 12)}`);
  return builtOnce(image, (work) => {
    mkdirSync(join(work, 'packages'));
    for (const file of debianPackages(packages))
      cpSync(file, join(work, 'packages', basename(file)));
    execFileSync(script, [base, work], { stdio: ['ignore', 'ignore', 'inherit'] });
    return work;
  });
}
