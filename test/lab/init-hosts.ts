import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { builtRoot, labDirectory } from './base.ts';
import type { HostInit } from './lab.ts';

const packages = [
  'sysvinit-core',
  'openrc',
  'initscripts',
  'runit',
  'iproute2',
  'procps',
  'cron',
  'libstdc++6',
  'passwd',
  'netbase',
  'wget',
];

/**
 * Debian with OpenRC under sysvinit, or with runit, which runs the SysV scripts of what has no
 * directory of its own. Both are one root, built once per machine (about half a minute).
 */
export function initHost(init: 'openrc' | 'runit'): HostInit {
  const root = builtRoot('inits', packages, prepareRoot);
  if (init === 'openrc') return { layers: [root] };
  const layer = join(labDirectory(), 'runit-layer');
  const link = join(layer, 'usr/sbin/init');
  mkdirSync(join(layer, 'usr/sbin'), { recursive: true });
  if (!readdirSync(join(layer, 'usr/sbin')).includes('init'))
    symlinkSync('/lib/runit/runit-init', link);
  return { layers: [layer, root] };
}

/** A container has no terminals, disks or clock of its own; the last script of the boot leaves a mark. */
function prepareRoot(root: string): void {
  const inittab = readFileSync(`${root}/etc/inittab`, 'utf8');
  writeFileSync(`${root}/etc/inittab`, inittab.replace(/^.*(getty|sulogin).*\n/gm, ''));
  for (const directory of ['rcS.d', 'runlevels/sysinit', 'runlevels/boot'])
    for (const name of readdirSync(`${root}/etc/${directory}`))
      rmSync(`${root}/etc/${directory}/${name}`);
  writeFileSync(`${root}/etc/rc.local`, '#!/bin/sh\ntouch /run/lab-booted\n');
  chmodSync(`${root}/etc/rc.local`, 0o755);
}
