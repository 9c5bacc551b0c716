import { rmSync } from 'node:fs';
import { privateFileMode, replaceFile } from './home/files.ts';
import type { HomeLayout } from './home/layout.ts';

/** What `run.json` in the home says while the server serves. */
export interface RunFile {
  readonly pid: number;
  readonly grpcPort: number;
  readonly apiPort: number;
  /** Milliseconds since the Unix epoch. */
  readonly startedAt: number;
}

/** Written when the server is ready, for programs that wait for it. */
export async function writeRunFile(layout: HomeLayout, run: RunFile): Promise<void> {
  await replaceFile(layout.runFile, `${JSON.stringify(run)}\n`, privateFileMode);
}

export function removeRunFile(layout: HomeLayout): void {
  rmSync(layout.runFile, { force: true });
}
