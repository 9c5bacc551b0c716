import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** What a suite may need beyond Node: each is probed once and named in the skip message. */
export type Requirement = 'root' | 'linux' | `command:${string}`;

function missing(requirement: Requirement): string | undefined {
  if (requirement === 'root') return process.geteuid?.() === 0 ? undefined : 'needs root';
  if (requirement === 'linux') return existsSync('/proc/self/stat') ? undefined : 'needs Linux';
  const command = requirement.slice('command:'.length);
  try {
    execFileSync('/bin/sh', ['-c', 'command -v "$1"', 'sh', command], { stdio: 'ignore' });
    return undefined;
  } catch {
    return `needs the command ${command}`;
  }
}

/**
 * The reason to skip, or false when everything is there: `t.test(name, { skip: requires('root') }, ...)`.
 * With VIGO_TEST_REQUIRE_ALL=1 (CI) an unmet requirement fails instead of skipping.
 */
export function requires(...requirements: Requirement[]): string | false {
  const reasons = requirements.map(missing).filter((reason) => reason !== undefined);
  if (reasons.length === 0) return false;
  const reason = reasons.join(', ');
  if (process.env.VIGO_TEST_REQUIRE_ALL === '1')
    throw new Error(`suite must run here but ${reason}`);
  return reason;
}
