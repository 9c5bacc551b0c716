import { codeOf } from '../errors.ts';
import type { PublishStatus } from '../publish/messages.ts';
import { type Examination, type Finding, problem, warning } from './view.ts';

const dayMs = 86_400_000;
const checked = ['policy', 'freeze', 'candidate', 'rollout'];

/** Of the policy in force; the error when it cannot be told. */
export function policyFindings(status: PublishStatus | Error, nowMs: number): Examination {
  if (status instanceof Error) return { findings: [unreadable(status)], checked };
  return {
    findings: [
      ...(status.version === 0 ? [nothingPublished()] : []),
      ...freezeFinding(status),
      ...candidateFinding(status, nowMs),
      ...rolloutFinding(status),
    ],
    checked,
  };
}

function unreadable(error: Error): Finding {
  return problem('policy', {
    finding: `the policy in force cannot be read: ${error.message} (${codeOf(error)})`,
    why: 'envoys go on with what they have; new envoys get nothing',
    remedy: 'publish the stack again: vigocli config publish',
  });
}

function nothingPublished(): Finding {
  return warning('policy', {
    finding: 'nothing was published yet',
    why: 'envoys have no policy to enforce',
    remedy: 'write a stack and publish it: vigocli config publish',
  });
}

function freezeFinding({ freeze }: PublishStatus): Finding[] {
  if (freeze === undefined) return [];
  const until =
    freeze.untilMs === undefined
      ? 'until somebody lifts it'
      : `until ${new Date(freeze.untilMs).toISOString()}`;
  return [
    warning('freeze', {
      finding: `publishing is frozen by ${freeze.by} ${until}: ${freeze.reason}`,
      why: 'no publish goes through, also no repair, except a rollback',
      remedy: 'when it is no longer needed: vigocli config unfreeze -m "..."',
    }),
  ];
}

function candidateFinding({ candidate }: PublishStatus, nowMs: number): Finding[] {
  if (candidate === undefined || nowMs - candidate.createdAtMs < dayMs) return [];
  return [
    warning('candidate', {
      finding: `a candidate of ${candidate.author} waits for approval for more than a day`,
      why: 'what it changes is not in force',
      remedy: 'a second administrator looks at it: vigocli config candidates',
    }),
  ];
}

function rolloutFinding({ rollout }: PublishStatus): Finding[] {
  if (rollout?.status !== 'paused') return [];
  return [
    warning('rollout', {
      finding: `the rollout of version ${rollout.version} is paused`,
      why: 'a part of the fleet has the new version, the rest the old one',
      remedy: 'vigocli config rollout status, then resume, abort or finish',
    }),
  ];
}
