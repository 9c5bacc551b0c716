/**
 * Where the kernel has a setting. As in sysctl(8): after a first dot, dots separate and a slash is a
 * dot within a name (net.ipv4.conf.eth0/100.forwarding); after a first slash it is the other way.
 */
export function sysctlPath(key: string): string {
  const first = /[./]/.exec(key)?.[0];
  const parts = first === '/' ? key : key.replace(/[./]/g, (one) => (one === '.' ? '/' : '.'));
  return `/proc/sys/${parts}`;
}

/** The file that sets it at boot. */
export function sysctlFile(key: string): string {
  return `/etc/sysctl.d/99-vigo-${key.replaceAll('/', '-')}.conf`;
}
