import { dockerComposeType } from './containers/compose.ts';
import { dockerContainerType } from './containers/container.ts';
import { dockerImageType } from './containers/image.ts';
import type { AnyResourceType } from './contract.ts';
import { blockinfileType } from './cross/blockinfile.ts';
import { customType } from './cross/custom.ts';
import { directoryType } from './cross/directory.ts';
import { execType } from './cross/exec.ts';
import { fieldEditType } from './cross/field-edit.ts';
import { fileType } from './cross/file.ts';
import { fileLineType } from './cross/file-line.ts';
import { gitType } from './cross/git.ts';
import { hostType } from './cross/host.ts';
import { iniType } from './cross/ini.ts';
import { jsonFileType } from './cross/json-file.ts';
import { nonrepoPackageType } from './cross/nonrepo-package.ts';
import { replaceType } from './cross/replace.ts';
import { repositoryType } from './cross/repository.ts';
import { sourcePackageType } from './cross/source-package.ts';
import { sshkeyType } from './cross/sshkey.ts';
import { symlinkType } from './cross/symlink.ts';
import { gemType } from './languages/gem.ts';
import { npmType } from './languages/npm.ts';
import { pipType } from './languages/pip.ts';
import { alternativesType } from './linux/alternatives.ts';
import { kernelModuleType } from './linux/kernel-module.ts';
import { logrotateType } from './linux/logrotate.ts';
import { selinuxType } from './linux/selinux.ts';
import { systemdDropinType } from './linux/systemd-dropin.ts';
import { tmpfileType } from './linux/tmpfile.ts';
import { groupType, userType } from './unix/accounts.ts';
import { cronType } from './unix/cron.ts';
import { firewallType } from './unix/firewall.ts';
import { hostnameType } from './unix/hostname.ts';
import { mountType } from './unix/mount.ts';
import { packageType } from './unix/package.ts';
import { processType } from './unix/process.ts';
import { rebootType } from './unix/reboot.ts';
import { serviceType } from './unix/service.ts';
import { swapType } from './unix/swap.ts';
import { sysctlType } from './unix/sysctl.ts';
import { timezoneType } from './unix/timezone.ts';

export type TypeRegistry = ReadonlyMap<string, AnyResourceType>;

export function typeRegistry(types: readonly AnyResourceType[]): TypeRegistry {
  return new Map(types.map((type) => [type.name, type]));
}

/** Every resource type of this agent, by name. */
export const resourceTypes: TypeRegistry = typeRegistry([
  fileType,
  directoryType,
  symlinkType,
  execType,
  fileLineType,
  blockinfileType,
  replaceType,
  fieldEditType,
  iniType,
  jsonFileType,
  hostType,
  sshkeyType,
  packageType,
  sourcePackageType,
  nonrepoPackageType,
  repositoryType,
  pipType,
  gemType,
  npmType,
  serviceType,
  userType,
  groupType,
  cronType,
  hostnameType,
  timezoneType,
  firewallType,
  sysctlType,
  mountType,
  swapType,
  processType,
  rebootType,
  customType,
  gitType,
  tmpfileType,
  logrotateType,
  systemdDropinType,
  alternativesType,
  kernelModuleType,
  selinuxType,
  dockerImageType,
  dockerContainerType,
  dockerComposeType,
]);
