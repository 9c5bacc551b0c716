import { alternativesSchema } from './alternatives.ts';
import { blockinfileSchema } from './blockinfile.ts';
import { cronSchema } from './cron.ts';
import { customSchema } from './custom.ts';
import { directorySchema } from './directory.ts';
import { dockerComposeSchema } from './docker-compose.ts';
import { dockerContainerSchema } from './docker-container.ts';
import { dockerImageSchema } from './docker-image.ts';
import { execSchema } from './exec.ts';
import { fieldEditSchema } from './field-edit.ts';
import { fileSchema } from './file.ts';
import { fileLineSchema } from './file-line.ts';
import { firewallSchema } from './firewall.ts';
import { gemSchema } from './gem.ts';
import { gitSchema } from './git.ts';
import { groupSchema } from './group.ts';
import { hostSchema } from './host.ts';
import { hostnameSchema } from './hostname.ts';
import { iniSchema } from './ini.ts';
import { jsonFileSchema } from './json-file.ts';
import { kernelModuleSchema } from './kernel-module.ts';
import { logrotateSchema } from './logrotate.ts';
import { mountSchema } from './mount.ts';
import { nonrepoPackageSchema } from './nonrepo-package.ts';
import { npmSchema } from './npm.ts';
import { packageSchema } from './package.ts';
import { pipSchema } from './pip.ts';
import { processSchema } from './process.ts';
import { rebootSchema } from './reboot.ts';
import { replaceSchema } from './replace.ts';
import { repositorySchema } from './repository.ts';
import type { ResourceSchema } from './schema.ts';
import { selinuxSchema } from './selinux.ts';
import { serviceSchema } from './service.ts';
import { sourcePackageSchema } from './source-package.ts';
import { sshkeySchema } from './sshkey.ts';
import { swapSchema } from './swap.ts';
import { symlinkSchema } from './symlink.ts';
import { sysctlSchema } from './sysctl.ts';
import { systemdDropinSchema } from './systemd-dropin.ts';
import { timezoneSchema } from './timezone.ts';
import { tmpfileSchema } from './tmpfile.ts';
import { userSchema } from './user.ts';

/** Every resource type that policy may use, by name. */
export const resourceSchemas: ReadonlyMap<string, ResourceSchema> = new Map(
  [
    fileSchema,
    directorySchema,
    symlinkSchema,
    execSchema,
    fileLineSchema,
    blockinfileSchema,
    replaceSchema,
    fieldEditSchema,
    iniSchema,
    jsonFileSchema,
    hostSchema,
    sshkeySchema,
    packageSchema,
    sourcePackageSchema,
    nonrepoPackageSchema,
    repositorySchema,
    pipSchema,
    gemSchema,
    npmSchema,
    serviceSchema,
    userSchema,
    groupSchema,
    cronSchema,
    hostnameSchema,
    timezoneSchema,
    firewallSchema,
    sysctlSchema,
    mountSchema,
    swapSchema,
    processSchema,
    rebootSchema,
    customSchema,
    gitSchema,
    tmpfileSchema,
    logrotateSchema,
    systemdDropinSchema,
    alternativesSchema,
    kernelModuleSchema,
    selinuxSchema,
    dockerImageSchema,
    dockerContainerSchema,
    dockerComposeSchema,
  ].map((schema) => [schema.name, schema]),
);
