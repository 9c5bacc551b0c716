import type { RolloutRequest, RolloutSettings } from './messages.ts';

/** Stages of one rollout, the last one included. */
export const stageLimit = 20;
/** Globs of one stage. */
export const stageGlobLimit = 50;
const stageTextLimit = 1000;
const longestObserveMs = 30 * 86_400_000;

export type Stage =
  /** Of the envoys that the version changes, 0 to 1; 1 = everybody. */
  { readonly share: number } | { readonly globs: readonly string[] };

const percentage = /^(\d{1,3}(?:\.\d{1,3})?)%$/;
const glob = /^[\w.*?[\]{}-]{1,253}$/;

/** Undefined when the text is neither a percentage nor a list of globs of host names. */
export function parseStage(text: string): Stage | undefined {
  if (text.length > stageTextLimit) return undefined;
  const percent = percentage.exec(text);
  if (percent !== null) {
    const share = Number(percent[1]) / 100;
    return share > 0 && share <= 1 ? { share } : undefined;
  }
  const globs = text.split(',').map((part) => part.trim());
  if (globs.length > stageGlobLimit || !globs.every((part) => glob.test(part))) return undefined;
  return { globs };
}

/** Why the request is not one, or undefined. */
export function rolloutProblem(request: RolloutRequest): string | undefined {
  const { stages = [], observeMs, threshold, leastConverged } = request;
  if (stages.length >= stageLimit) return `more than ${stageLimit - 1} stages`;
  const bad = stages.find((stage) => parseStage(stage) === undefined);
  if (bad !== undefined)
    return `the stage "${bad}" is neither a percentage nor globs of host names`;
  if (observeMs !== undefined && !within(observeMs, longestObserveMs)) {
    return 'a stage is watched for 0 to 30 days';
  }
  if (threshold !== undefined && !within(threshold, 1))
    return 'the threshold is a share from 0 to 1';
  if (leastConverged !== undefined && !within(leastConverged, 1)) {
    return 'the least converged share is from 0 to 1';
  }
  return undefined;
}

/** The request over the settings, with a last stage that is everybody; undefined: all at once, unwatched. */
export function resolveRollout(
  request: RolloutRequest | undefined,
  settings: RolloutSettings,
): RolloutSettings | undefined {
  const merged = { ...settings, ...request };
  const given = merged.stages.map((stage) => stage.trim());
  if (given.length === 0 && merged.observeMs === 0) return undefined;
  const stages = isEverybody(given.at(-1)) ? given : [...given, '100%'];
  return { ...merged, stages };
}

function isEverybody(stage: string | undefined): boolean {
  const parsed = stage === undefined ? undefined : parseStage(stage);
  return parsed !== undefined && 'share' in parsed && parsed.share === 1;
}

function within(value: number, most: number): boolean {
  return Number.isFinite(value) && value >= 0 && value <= most;
}
