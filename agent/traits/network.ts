import type { TraitCollector } from './collector.ts';
import { readMachineFile } from './machine-file.ts';
import { sameValue } from './values.ts';

const addressLimit = 256;
/** Come and go with every container or guest. */
const transient = /^(veth|cali|lxc|vnet|tap)/;

/**
 * network.hostname, fqdn, ip_addresses (IPv4 and IPv6) and mac_addresses, without loopback and
 * link-local ones. The fully qualified name is the one in /etc/hosts: a name server is not asked,
 * since traits are collected on every pass.
 */
export const networkCollector: TraitCollector = {
  name: 'network',
  collect: async ({ platform }) => {
    const interfaces = platform.host
      .networkInterfaces()
      .filter((one) => !one.loopback && !transient.test(one.name));
    const hostname = platform.host.hostname();
    const hosts = (await readMachineFile(platform, '/etc/hosts')) ?? '';
    return {
      hostname,
      fqdn: qualifiedName(hostname, hosts),
      ip_addresses: sorted(interfaces.flatMap((one) => one.addresses).filter(isGlobal)),
      mac_addresses: sorted(interfaces.map((one) => one.macAddress).filter(isMac)),
    };
  },
  isNews: (told, now) => !sameValue(told, now),
};

/** The first name with a dot on a line of hosts(5) that names the host; else the host name itself. */
export function qualifiedName(hostname: string, hosts: string): string {
  if (hostname.includes('.')) return hostname;
  for (const line of hosts.split('\n')) {
    const [, ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    const full = names.find((name) => name.startsWith(`${hostname}.`));
    if (full !== undefined) return full;
  }
  return hostname;
}

function isGlobal(address: string): boolean {
  return !/^(fe[89ab][0-9a-f]:|169\.254\.|127\.|::1$)/i.test(address);
}

function isMac(address: string): boolean {
  return address !== '00:00:00:00:00:00';
}

function sorted(values: readonly string[]): string[] {
  return [...new Set(values)].sort().slice(0, addressLimit);
}
