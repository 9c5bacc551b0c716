import { cronSchema } from './cron.ts';
import { directorySchema } from './directory.ts';
import { execSchema } from './exec.ts';
import { fileSchema } from './file.ts';
import { fileLineSchema } from './file-line.ts';
import { groupSchema } from './group.ts';
import { packageSchema } from './package.ts';
import type { ResourceSchema } from './schema.ts';
import { serviceSchema } from './service.ts';
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
    packageSchema,
    serviceSchema,
    userSchema,
    groupSchema,
    cronSchema,
  ].map((schema) => [schema.name, schema]),
);
