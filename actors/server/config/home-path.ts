import { isAbsolute, join } from 'node:path';

/** A path of server.yaml: relative ones lie in the home; '' = not given. */
export function homePath(home: string, path: string): string {
  return path === '' || isAbsolute(path) ? path : join(home, path);
}
