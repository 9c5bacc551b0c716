import type { AnyResourceType } from './contract.ts';
import { groupType, userType } from './unix/accounts.ts';

export type TypeRegistry = ReadonlyMap<string, AnyResourceType>;

export function typeRegistry(types: readonly AnyResourceType[]): TypeRegistry {
  return new Map(types.map((type) => [type.name, type]));
}
