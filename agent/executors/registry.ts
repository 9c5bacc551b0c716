import type { AnyResourceType } from './contract.ts';
import { blockinfileType } from './cross/blockinfile.ts';
import { directoryType } from './cross/directory.ts';
import { execType } from './cross/exec.ts';
import { fieldEditType } from './cross/field-edit.ts';
import { fileType } from './cross/file.ts';
import { fileLineType } from './cross/file-line.ts';
import { hostType } from './cross/host.ts';
import { iniType } from './cross/ini.ts';
import { jsonFileType } from './cross/json-file.ts';
import { replaceType } from './cross/replace.ts';
import { sshkeyType } from './cross/sshkey.ts';
import { symlinkType } from './cross/symlink.ts';
import { groupType, userType } from './unix/accounts.ts';
import { cronType } from './unix/cron.ts';
import { packageType } from './unix/package.ts';
import { serviceType } from './unix/service.ts';

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
  serviceType,
  userType,
  groupType,
  cronType,
]);
