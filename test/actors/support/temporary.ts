import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A directory that goes away with the test. */
export function temporaryDirectory(t: { teardown(run: () => void): void }): string {
  const path = mkdtempSync(join(tmpdir(), 'vigo-actors-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
