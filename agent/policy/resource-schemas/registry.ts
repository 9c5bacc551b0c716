import { blockinfileSchema } from './blockinfile.ts';
import { cronSchema } from './cron.ts';
import { directorySchema } from './directory.ts';
import { execSchema } from './exec.ts';
import { fieldEditSchema } from './field-edit.ts';
import { fileSchema } from './file.ts';
import { fileLineSchema } from './file-line.ts';
import { groupSchema } from './group.ts';
import { hostSchema } from './host.ts';
import { iniSchema } from './ini.ts';
import { jsonFileSchema } from './json-file.ts';
import { packageSchema } from './package.ts';
import { replaceSchema } from './replace.ts';
import type { ResourceSchema } from './schema.ts';
import { serviceSchema } from './service.ts';
import { sshkeySchema } from './sshkey.ts';
import { symlinkSchema } from './symlink.ts';
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
    serviceSchema,
    userSchema,
    groupSchema,
    cronSchema,
  ].map((schema) => [schema.name, schema]),
);
