import { existsSync } from 'node:fs';
import type { Examination } from '../../doctor/view.ts';
import { ServerError } from '../../errors.ts';
import { loadConfig } from '../config/load.ts';
import { examineMachine } from '../doctor/examine.ts';
import { homeLayout } from '../home/layout.ts';
import { serverVersion } from '../version.ts';

const defaultIntervalMs = 300_000;

export interface DoctorFlags {
  readonly home: string;
  readonly json?: boolean;
}

/** Looks at a home without a server; exit code 1 when something is wrong. */
export async function doctor({ home, json }: DoctorFlags): Promise<void> {
  const layout = homeLayout(home);
  if (!existsSync(layout.root)) throw new ServerError('HOME_MISSING', { home: layout.root });
  const config = await loadConfig({ file: layout.configFile, home: layout.root }).catch(
    () => undefined,
  );
  const found = await examineMachine({
    home,
    nowMs: Date.now(),
    version: serverVersion(),
    database: config?.database.file ?? layout.database,
    intervalMs: config?.checkin.intervalMs ?? defaultIntervalMs,
    descriptorLimit: undefined,
  });
  process.stdout.write(json === true ? `${JSON.stringify(found)}\n` : words(found));
  if (json !== true && found.findings.some(({ severity }) => severity === 'problem'))
    process.exitCode = 1;
}

function words({ findings, checked }: Examination): string {
  const lines = findings.flatMap(({ severity, finding, why, remedy }) => [
    `${severity}: ${finding}`,
    `  why: ${why}`,
    `  do:  ${remedy}`,
  ]);
  return `${[...lines, `${checked.length} checks, ${findings.length} findings`].join('\n')}\n`;
}
