import { setTimeout } from 'node:timers/promises';
import type { RolloutView } from '../../../../actors/rollout/messages.ts';
import { exitCodes } from '../../exit-codes.ts';
import type { Session } from '../../session.ts';
import { endedStates, healthWords, stageWords } from './rollout-text.ts';

const pollMs = 1000;

export interface RolloutAnswer {
  readonly rollout: RolloutView | null;
}

export const rolloutPath = '/api/v1/config/rollout';

/**
 * Tells each stage and each change of health until the rollout of this version has ended or waits for
 * somebody. Returns how it ended; undefined when there is none to follow.
 */
export async function followRollout(
  it: Session,
  version: number,
): Promise<RolloutView | undefined> {
  let told = '';
  for (;;) {
    const { rollout } = await it.client.get<RolloutAnswer>(rolloutPath);
    if (rollout === null || rollout.version !== version) return undefined;
    const health = healthWords(rollout);
    const words = `${stageWords(rollout)}${health ? `; ${health}` : ''}`;
    if (words !== told) it.note(words);
    told = words;
    if (endedStates.has(rollout.status) || rollout.status === 'paused') return rollout;
    await setTimeout(pollMs);
  }
}

/** 0 when every envoy has it; 3 when it stopped on the way; 1 when the last good version came back. */
export function rolloutExitCode(rollout: RolloutView): number {
  if (rollout.status === 'completed') return exitCodes.done;
  return rollout.status === 'rolled-back' ? exitCodes.error : exitCodes.partial;
}
