interface Example {
  readonly stack: string;
  readonly hosts: readonly string[];
  /** That its README says to set. */
  readonly secrets?: readonly string[];
  /** Its first host is imported afterwards. */
  readonly adopted?: boolean;
}

/** Stacks under examples/, with hosts that their entries match. */
export const examples: readonly Example[] = [
  { stack: 'web-tier', hosts: ['web-1', 'proxy-1'] },
  { stack: 'database-postgresql', hosts: ['db-1'] },
  { stack: 'cis-hardening', hosts: ['app-1', 'legacy-1'] },
  { stack: 'docker-host', hosts: ['docker-1'] },
  { stack: 'multi-environment', hosts: ['app-prod-1', 'dev-1'] },
  { stack: 'multi-os', hosts: ['any-1'] },
  { stack: 'network-site', hosts: ['gw-berlin-1'], adopted: true },
  { stack: 'homelab', hosts: ['pi-1', 'home-server'] },
  { stack: 'monitoring-node', hosts: ['mon-1'] },
  { stack: 'bastion-ssh', hosts: ['bastion-1'] },
  { stack: 'mail-relay', hosts: ['mail-1'], secrets: ['mail/relay'] },
  { stack: 'backup', hosts: ['backup-1', 'client-1'] },
  { stack: 'ci-runner', hosts: ['ci-1'] },
];

/** What these hosts install, of Debian 12 itself. */
export const packagesOfExamples: readonly string[] = [
  'apt-transport-https',
  'chrony',
  'cron',
  'curl',
  'dma',
  'dnsmasq',
  'git',
  'htop',
  'less',
  'lighttpd',
  'logrotate',
  'lsof',
  'make',
  'nftables',
  'nginx',
  'nginx-light',
  'openssh-client',
  'openssh-server',
  'postgresql-15',
  'prometheus-node-exporter',
  'rsync',
  'strace',
  'sudo',
  'tmux',
];
