import { readFileSync } from 'node:fs';

/** How far above this file the project's package.json may stand: source tree or dist. */
const levels = ['../../', '../../../'];

/** The version of this program, from the package that it is part of. */
export function serverVersion(): string {
  for (const level of levels) {
    try {
      const file = new URL(`${level}package.json`, import.meta.url);
      const { name, version } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
      if (name === 'vigo' && version !== undefined) return version;
    } catch {
      // Not at this level.
    }
  }
  return '0.0.0';
}
