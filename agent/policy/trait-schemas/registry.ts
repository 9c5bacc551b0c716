import { machineTraits } from './machine.ts';
import type { TraitSchema } from './schema.ts';
import { serviceTraits } from './services.ts';
import { storageTraits } from './storage.ts';
import { systemTraits } from './system.ts';

const all = [...systemTraits, ...machineTraits, ...storageTraits, ...serviceTraits];

/** Every trait that agents of this version collect, by name. */
export const traitSchemas: ReadonlyMap<string, TraitSchema> = new Map(
  all.map((schema) => [schema.name, schema]),
);
