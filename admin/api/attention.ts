import type { PublishStatus } from '../../actors/publish/messages.ts';
import type { RolloutView } from '../../actors/rollout/messages.ts';
import type { AttentionView } from '../../actors/sink/fleet-views.ts';

const dayMs = 86_400_000;
/** A certificate is worth a word so long before it ends, and an alarm so long. */
const certificateSoonMs = 30 * dayMs;
const certificateUrgentMs = 7 * dayMs;

export interface AttentionFacts {
  /** Undefined when the actor did not answer. */
  readonly publish: PublishStatus | undefined;
  readonly rollout: RolloutView | undefined;
  /** When they end, milliseconds since 1970. */
  readonly certificates: { readonly server: number; readonly authority: number };
  readonly nowMs: number;
}

/** What needs a person beside envoys: approvals, stopped rollouts, a freeze, certificates. Pure. */
export function attentionOf(facts: AttentionFacts): AttentionView[] {
  return [...waiting(facts), ...stopped(facts), ...frozen(facts), ...ending(facts)];
}

const one = { count: 1, state: undefined } as const;

function waiting({ publish }: AttentionFacts): AttentionView[] {
  const candidate = publish?.candidate;
  if (candidate === undefined) return [];
  const { contentHash, message } = candidate;
  return [
    {
      ...one,
      kind: 'approval',
      severity: 'warning',
      text: `a publish by ${candidate.author} waits for approval`,
      sinceMs: candidate.createdAtMs,
      examples: [{ id: contentHash, name: message }],
    },
  ];
}

function stopped({ rollout, publish }: AttentionFacts): AttentionView[] {
  const now = rollout ?? publish?.rollout;
  if (now?.status !== 'paused') return [];
  const reason = now.reason === '' ? '' : `: ${now.reason}`;
  return [
    {
      ...one,
      kind: 'rollout',
      severity: 'critical',
      text: `the rollout of version ${now.version} is held${reason}`,
      sinceMs: now.stageStartedAtMs,
      examples: [{ id: String(now.version), name: `version ${now.version}` }],
    },
  ];
}

function frozen({ publish }: AttentionFacts): AttentionView[] {
  const freeze = publish?.freeze;
  if (freeze === undefined) return [];
  const text = `publishing is frozen: ${freeze.reason}`;
  return [
    { ...one, kind: 'freeze', severity: 'info', text, sinceMs: freeze.sinceMs, examples: [] },
  ];
}

function ending({ certificates, nowMs }: AttentionFacts): AttentionView[] {
  return Object.entries(certificates).flatMap(([name, endMs]): AttentionView[] => {
    const leftMs = endMs - nowMs;
    if (leftMs > certificateSoonMs) return [];
    const severity = leftMs <= certificateUrgentMs ? 'critical' : 'warning';
    const days = Math.floor(leftMs / dayMs);
    const when = leftMs <= 0 ? 'has ended' : `ends in ${days} ${days === 1 ? 'day' : 'days'}`;
    const text = `the certificate of the ${name} ${when}`;
    const examples = [{ id: name, name }];
    return [{ ...one, kind: 'certificate', severity, text, sinceMs: undefined, examples }];
  });
}
