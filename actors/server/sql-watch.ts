import { createRequire } from 'node:module';
import { sep } from 'node:path';

const drivers = ['better-sqlite3', 'node:sqlite', 'pg'];
const { cache } = createRequire(import.meta.url);

/** True when this thread has loaded an SQL driver: never on a fleet shard. */
export function isSqlDriverLoaded(): boolean {
  return Object.keys(cache).some((path) =>
    drivers.some((driver) => path.includes(`${sep}node_modules${sep}${driver}${sep}`)),
  );
}
