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
export const noCells: readonly NoCell[] = [];
