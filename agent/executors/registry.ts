import type { AnyResourceType } from './contract.ts';
import { directoryType } from './cross/directory.ts';
import { execType } from './cross/exec.ts';
import { fileType } from './cross/file.ts';
import { fileLineType } from './cross/file-line.ts';
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
  packageType,
  serviceType,
  userType,
  groupType,
  cronType,
]);
