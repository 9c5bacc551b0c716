import { blockdevicesCollector } from './blockdevices.ts';
import { createCertExpiryCollector } from './cert-expiry.ts';
import { cloudCollector } from './cloud.ts';
import type { TraitCollector } from './collector.ts';
import { dmiCollector } from './dmi.ts';
import { createDockerCollector } from './docker.ts';
import { filesystemCollector } from './filesystem.ts';
import { createGpuCollector } from './gpu.ts';
import { hardwareCollector } from './hardware.ts';
import { identityCollector } from './identity.ts';
import { kernelCollector } from './kernel.ts';
import { loadavgCollector } from './loadavg.ts';
import { localeCollector } from './locale.ts';
import { memoryCollector } from './memory.ts';
import { mountpointsCollector } from './mountpoints.ts';
import { networkCollector } from './network.ts';
import { osCollector } from './os.ts';
import { createPackageReader, createPackagesCollector } from './packages.ts';
import { createPortsCollector } from './ports.ts';
import { createProcessorsCollector } from './processors.ts';
import { createSecurityScanCollector } from './security-scan.ts';
import { selinuxCollector } from './selinux.ts';
import { swapCollector } from './swap.ts';
import { systemdCollector } from './systemd.ts';
import { createTimeCollector } from './time.ts';
import { timezoneCollector } from './timezone.ts';
import { uptimeCollector } from './uptime.ts';
import { usersCollector } from './users.ts';
import { virtualCollector } from './virtual.ts';

/** All collectors of this agent; each set remembers what one machine told it. */
export function standardCollectors(): readonly TraitCollector[] {
  const packages = createPackageReader();
  return [
    osCollector,
    hardwareCollector,
    networkCollector,
    createPackagesCollector(packages),
    createTimeCollector(),
    identityCollector,
    virtualCollector,
    uptimeCollector,
    loadavgCollector,
    mountpointsCollector,
    createProcessorsCollector(),
    dmiCollector,
    cloudCollector,
    filesystemCollector,
    kernelCollector,
    usersCollector,
    memoryCollector,
    blockdevicesCollector,
    createDockerCollector(packages),
    systemdCollector,
    selinuxCollector,
    timezoneCollector,
    localeCollector,
    swapCollector,
    createGpuCollector(),
    createCertExpiryCollector(),
    createPortsCollector(),
    createSecurityScanCollector(),
  ];
}
