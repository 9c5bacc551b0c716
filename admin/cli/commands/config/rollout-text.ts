import type { RolloutView } from '../../../../actors/rollout/messages.ts';
import { printable } from '../../terminal-text.ts';
import { ago, durationWords, fieldLines, plural } from '../../words.ts';
import { percent } from './shared.ts';

export const endedStates: ReadonlySet<string> = new Set(['completed', 'rolled-back', 'ended']);

/** "version 8, stage 2 of 3 (25%): watching". */
export function stageWords(rollout: RolloutView): string {
  const { version, stage, stages, status } = rollout;
  const name = stages[stage];
  const where = name === undefined ? '' : `, stage ${stage + 1} of ${stages.length}`;
  return `version ${version}${where}${name ? ` (${printable(name)})` : ''}: ${status}`;
}

export function healthWords({ health }: RolloutView): string {
  if (health === undefined) return '';
  const { reached, healthy, unjudged, failing, silent, pending, offline } = health;
  const parts = [`${healthy} of ${reached} healthy`];
  if (unjudged > 0) parts.push(`${unjudged} failing as before`);
  if (failing > 0) parts.push(`${failing} failing`);
  if (silent > 0) parts.push(`${silent} silent`);
  if (pending > 0) parts.push(`${pending} to report`);
  if (offline > 0) parts.push(`${offline} offline`);
  return parts.join(', ');
}

export function describeRollout(rollout: RolloutView, nowMs: number): string {
  const { health } = rollout;
  const lines: [string, string][] = [
    ['Rollout', stageWords(rollout)],
    ['Started', ago(rollout.startedAtMs, nowMs)],
    ['Stages', rollout.stages.map(printable).join(', ') || 'all at once'],
    ['Watch', rolloutRules(rollout)],
  ];
  if (health) {
    lines.push(['Health', healthWords(rollout)]);
    const { online, converged } = health.fleet;
    lines.push(['Fleet', `${converged} of ${plural(online, 'connected envoy')} converged`]);
    if (health.sample.length > 0) {
      lines.push(['Failing', health.sample.map(printable).join(', ')]);
    }
  }
  if (rollout.reason) lines.push(['Reason', printable(rollout.reason)]);
  if (rollout.endedAtMs !== undefined) lines.push(['Ended', ago(rollout.endedAtMs, nowMs)]);
  return fieldLines(lines);
}

function rolloutRules({ observeMs, threshold, leastConverged, ...rest }: RolloutView): string {
  const rules = [`${durationWords(observeMs)} each`, `at most ${percent(threshold)} may fail`];
  if (leastConverged > 0) rules.push(`at least ${percent(leastConverged)} of the fleet converged`);
  const otherwise =
    rest.onFailure === 'pause' ? 'it pauses' : `version ${rest.lastGoodVersion} comes back`;
  return `${rules.join(', ')}; otherwise ${otherwise}`;
}
