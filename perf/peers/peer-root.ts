import { symlinkSync } from 'node:fs';
import { basePackages, builtRoot } from '../../test/lab/base.ts';
import type { HostInit } from '../../test/lab/lab.ts';

/** Debian's own packages of the other tools; `time` measures what a command and its children use. */
const peerPackages = [
  'cfengine3',
  'puppet',
  'puppet-module-puppetlabs-stdlib',
  'ansible-core',
  'python3-apt',
  'time',
];

/** A lab host with the other tools, built once per machine (about a minute). */
export function peerHost(): HostInit {
  const packages = [...basePackages, ...peerPackages];
  return { layers: [builtRoot('peers', packages, prepareRoot)], systemd: true };
}

/** None of them shall run by itself. */
function prepareRoot(root: string): void {
  for (const unit of ['puppet', 'cfengine3', 'cf-execd', 'cf-serverd', 'cf-monitord'])
    symlinkSync('/dev/null', `${root}/etc/systemd/system/${unit}.service`);
}
