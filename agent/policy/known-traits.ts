import type { NameTree } from './template/values.ts';

/**
 * The traits that agents of this version collect, by name; null where the names below are the
 * machine's own. Publishing compares what templates and conditions read with it.
 */
export const knownTraits: NameTree = {
  os: {
    family: null,
    distro: null,
    version: null,
    kernel: null,
    arch: null,
    arch_raw: null,
    upstream_id: null,
    upstream_codename: null,
  },
  hardware: { cpu_count: null, memory_mb: null, disks: null },
  network: { hostname: null, fqdn: null, ip_addresses: null, mac_addresses: null },
  identity: { machine_id: null, boot_id: null, envoy_uuid: null, agent_version: null },
  memory: {
    total_bytes: null,
    free_bytes: null,
    available_bytes: null,
    used_bytes: null,
    buffers_bytes: null,
    cached_bytes: null,
    percent: null,
  },
  packages: null,
};
