import type { StateFiles } from '../../offline/state-files.ts';
import { loadUpdateMemory } from '../../update/update-state.ts';
import { trialLimit } from '../../update/updater.ts';
import { relative, type TerminalText } from '../terminal-text.ts';
import type { StatusDocument, UpdateStatus } from './document.ts';

/** The last update of the agent on this machine, of whatever end; nothing before the first one. */
export async function updateStatus(
  files: StateFiles,
  remedyOf: (code: string) => string | undefined,
): Promise<{ readonly update?: UpdateStatus }> {
  const { update } = await loadUpdateMemory(files).catch(() => ({ update: undefined }));
  if (update === undefined) return {};
  const { version, phase, code, message, atMs, trials, from, checkIns, seconds } = update;
  const remedy = isGivenUp(update) ? remedyOf(code) : undefined;
  const why = code === '' ? {} : { code, message, ...(remedy === undefined ? {} : { remedy }) };
  const trial =
    phase === 'trial' ? { trialCheckIns: checkIns, trialDurationMs: seconds * 1000 } : {};
  return {
    update: { version, phase, atMs, trials, ...(from === '' ? {} : { from }), ...why, ...trial },
  };
}

/** A release that was given up here and that nobody has replaced by another one. */
export function updateTrouble({ agent, update, version }: StatusDocument): string | undefined {
  if (update === undefined || !isGivenUp(update)) return undefined;
  if (update.version === (agent.version ?? version)) return undefined;
  return `update to ${update.version} failed [${update.code ?? ''}]`;
}

/** The line of the whole status, and those of its cause. */
export function writeUpdate(
  text: TerminalText,
  update: UpdateStatus,
  width: number,
  nowMs: number,
): void {
  const colour = isGivenUp(update) ? 'red' : update.phase === 'accepted' ? undefined : 'yellow';
  text.pair('update', updateLine(update, nowMs), width, colour);
  const margin = ' '.repeat(width);
  if (update.message !== undefined) text.line(`${margin}${update.message} [${update.code ?? ''}]`);
  if (update.remedy !== undefined) text.line(`${margin}remedy: ${update.remedy}`);
}

function isGivenUp({ phase }: Pick<UpdateStatus, 'phase'>): boolean {
  return phase === 'failed' || phase === 'returned';
}

function updateLine({ version, phase, atMs, from, ...rest }: UpdateStatus, nowMs: number): string {
  const when = relative(atMs, nowMs);
  const { trials, trialCheckIns = 0, trialDurationMs = 0 } = rest;
  switch (phase) {
    case 'fetching':
      return `fetching ${version}, begun ${when}`;
    case 'trial':
      return (
        `${version} ON TRIAL, begun ${when}, number ${trials} of ${trialLimit}: ` +
        `${trialCheckIns} check-ins within ${trialDurationMs / 1000} s, or ${from} comes back`
      );
    case 'undecided':
      return `back to ${from} ${when}; why ${version} did not check in is decided by the next answer`;
    case 'postponed':
      return `${version} POSTPONED ${when} after ${trials} of ${trialLimit} trials; it is tried again`;
    case 'accepted':
      return `${version} accepted ${when}${from === undefined ? '' : `, from ${from}`}`;
    case 'failed':
      return `${version} FAILED ${when}, before its trial; it is not tried again here`;
    case 'returned':
      return `${version} FAILED ${when} on trial, back to ${from}; it is not tried again here`;
  }
}
