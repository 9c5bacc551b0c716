import { boolean, number, text, texts, traitSchema } from './schema.ts';

const securityTimeoutMs = 60_000;
const count = (description: string) => number('', description);

/** What runs on the machine, and how safe it is. */
export const serviceTraits = [
  traitSchema({
    name: 'systemd',
    refresh: 'stable',
    summary: 'The service manager.',
    source: '`systemctl`; no such trait where systemd does not run',
    fields: {
      version: text('version'),
      state: text('running, degraded, starting, maintenance, stopping'),
      failed_units: texts('sorted'),
      'units.*': count('loaded units in an active state, by its name'),
    },
  }),
  traitSchema({
    name: 'docker',
    refresh: 'stable',
    summary: 'The Docker daemon, without asking it.',
    source: '`/run/docker.pid`, `/var/lib/docker`, the package database; no such trait without it',
    fields: {
      running: boolean('the daemon runs'),
      version: text('version of the package'),
      storage_driver: text('overlay2, btrfs, zfs, vfs, ...'),
      containers: count('all, stopped ones included'),
      containers_running: count('running ones'),
    },
  }),
  traitSchema({
    name: 'selinux',
    refresh: 'stable',
    summary: 'SELinux.',
    source: '`/sys/fs/selinux`, `/etc/selinux/config`',
    fields: {
      enabled: boolean('the kernel enforces or watches'),
      mode: text('enforcing, permissive or disabled: now'),
      config_mode: text('the same after the next start'),
      policy: text('such as targeted'),
    },
  }),
  traitSchema({
    name: 'ports',
    refresh: 'volatile',
    summary: 'Ports on which the machine can be reached.',
    source:
      '`/proc/net`, `/proc/<pid>/fd`; looked at when the number of sockets changed, at the latest in ' +
      'the tenth pass, and with very many connections in every tenth only',
    told: 'when a port below the ephemeral range opens or closes, else hourly',
    fields: {
      'listening[].proto': text('tcp, tcp6, udp or udp6'),
      'listening[].address': text('own address; 0.0.0.0 and :: are all'),
      'listening[].port': number('', 'port'),
      'listening[].pid': number('', 'process, where it may be known'),
      'listening[].process': text('its name'),
    },
  }),
  traitSchema({
    name: 'cert_expiry',
    refresh: 'stable',
    summary: 'When certificates end.',
    source:
      '`/etc/letsencrypt/live`, `/etc/ssl`, `/etc/pki/tls/certs`, `/etc/nginx`, `/etc/apache2`, ' +
      '`/etc/httpd`, `/etc/haproxy`, `/etc/postfix`: files of up to 64 KiB named .pem, .crt or .cer, ' +
      'two levels deep, without the stores of authorities',
    told: 'when a certificate changes; `days_left` hourly',
    fields: {
      'certificates[].path': text('file; its first certificate counts'),
      'certificates[].subject': text('such as CN=www.example.org'),
      'certificates[].issuer': text('who signed it'),
      'certificates[].not_after': text('end, UTC in ISO 8601'),
      'certificates[].days_left': number('days', 'whole days until then; negative when it is over'),
    },
  }),
  traitSchema({
    name: 'security_scan',
    refresh: 'stable',
    timeoutMs: securityTimeoutMs,
    summary: 'What security tools found. The agent reads their output and runs none of them.',
    source:
      'files in `security/` of the state directory: `trivy.json`, `lynis-report.dat`, `chkrootkit.log`, ' +
      '`rkhunter.log`, `clamav.log`, `aide.log`, `debsecan.txt`; 32 MiB each at most',
    fields: {
      unique_critical: count('distinct CVEs of trivy and debsecan'),
      unique_high: count('distinct CVEs'),
      unique_medium: count('distinct CVEs'),
      unique_low: count('distinct CVEs'),
      'cves[].id': text('CVE, the worst first; 500 at most'),
      'cves[].severity': text('critical, high, medium, low or unknown'),
      'cves[].packages': texts('affected packages, 20 at most'),
      'cves[].title': text('as the tool words it'),
      'last_scan.*': text('when the file of a tool was written, UTC in ISO 8601'),
      'errors.*': text('why the file of a tool could not be read'),
      'trivy.critical': count('affected packages'),
      'trivy.high': count('affected packages'),
      'trivy.medium': count('affected packages'),
      'trivy.low': count('affected packages'),
      'trivy.unknown': count('affected packages'),
      'lynis.score': number('', 'hardening index, 0 to 100'),
      'lynis.warnings': count('warnings'),
      'lynis.suggestions': count('suggestions'),
      'chkrootkit.infected': texts('what it calls infected'),
      'rkhunter.warnings': texts('its warnings'),
      'clamav.infected': texts('infected files'),
      'clamav.infected_count': count('infected files, as its summary says'),
      'aide.added': count('files'),
      'aide.removed': count('files'),
      'aide.changed': count('files'),
      'debsecan.high': count('affected packages'),
      'debsecan.medium': count('affected packages'),
      'debsecan.low': count('affected packages'),
      'debsecan.unassigned': count('affected packages'),
      'debsecan.total': count('affected packages'),
    },
  }),
];
