import type { CoverageCase } from './type-coverage.ts';

/** Types that do their work in several ways; the others are the same everywhere. */
export const typeBackends: Readonly<Record<string, readonly string[]>> = {
  package: ['apt', 'dnf', 'yum', 'zypper', 'pacman', 'apk'],
  nonrepo_package: ['dpkg', 'rpm by dnf', 'rpm by zypper'],
  repository: ['apt', 'dnf', 'zypper', 'pacman', 'apk'],
  service: ['systemd', 'OpenRC', 'SysV', 'runit'],
  firewall: ['nftables', 'iptables', 'ufw', 'firewalld'],
};

/** What a lab host with Debian and systemd has. */
export const labBackends: Readonly<Record<string, string>> = {
  package: 'apt',
  nonrepo_package: 'dpkg',
  repository: 'apt',
  service: 'systemd',
  firewall: 'nftables',
};

export interface NoCell {
  readonly type: string;
  /** Unset: on every back-end. */
  readonly backend?: string;
  readonly cases: readonly CoverageCase[];
  readonly reason: string;
}

/** Cells that stay empty, and why. */
export const noCells: readonly NoCell[] = [
  {
    type: 'exec',
    cases: ['from nothing', 'removal'],
    reason: 'a command leaves nothing that could be missing or removed; it runs or it does not',
  },
  {
    type: 'file_line',
    cases: ['from nothing'],
    reason: 'the file must be there: a missing line is drift of it',
  },
  {
    type: 'replace',
    cases: ['from nothing', 'removal'],
    reason: 'it edits text that is there, and has no state',
  },
  {
    type: 'field_edit',
    cases: ['from nothing'],
    reason: 'the line must be there: a missing field is drift of it',
  },
  {
    type: 'service',
    cases: ['from nothing', 'removal'],
    reason: 'a service is started, stopped, enabled or disabled; packages and files make it',
  },
  { type: 'hostname', cases: ['from nothing', 'removal'], reason: 'a machine has a name always' },
  { type: 'timezone', cases: ['from nothing', 'removal'], reason: 'a machine has a zone always' },
  {
    type: 'firewall',
    cases: ['drift'],
    reason: 'a changed rule is another rule: the declared one is missing, and created',
  },
  {
    type: 'process',
    cases: ['from nothing', 'removal'],
    reason: 'processes are started and ended, which is drift of their number',
  },
  { type: 'reboot', cases: ['from nothing'], reason: 'it acts on a machine that runs' },
  {
    type: 'custom',
    cases: ['drift', 'removal'],
    reason: 'what a script does is its own affair; that it says so is shown once',
  },
  {
    type: 'docker_image',
    cases: ['drift'],
    reason: 'an image is there under its name or it is not; another one is pulled anew',
  },
  {
    type: 'package',
    backend: 'yum',
    cases: ['drift', 'read-only dry run', 'interruption'],
    reason: 'the same program as dnf under its old name; only installing and removing is repeated',
  },
];
