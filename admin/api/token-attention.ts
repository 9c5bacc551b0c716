import type {
  AttentionView,
  EndingApiToken,
  EndingEnrollmentToken,
  EndingTokens,
} from '../../actors/sink/fleet-views.ts';
import { span } from './span.ts';

const dayMs = 86_400_000;
/** A token of less than this is meant to end. */
const shortLifeMs = 7 * dayMs;
/** Somebody has to act in the last part of a token's life. */
const lastPart = 0.2;
const urgentMs = dayMs;
/** It was in use when it ended, if its last use is no older. */
const inUseMs = dayMs;
const examplesMax = 5;

/** Tokens about whose end somebody should know. Pure. */
export function tokenAttention(ending: EndingTokens, nowMs: number): AttentionView[] {
  return [
    ...ending.api.flatMap((token) => ofApiToken(token, nowMs)),
    ...ofEnrollment(ending.enrollment),
  ];
}

const one = { count: 1, state: undefined, kind: 'api-token' } as const;

function ofApiToken(token: EndingApiToken, nowMs: number): AttentionView[] {
  const { id, name, createdAtMs, expiresAtMs, lastUsedMs } = token;
  const examples = [{ id, name }];
  const leftMs = expiresAtMs - nowMs;
  if (leftMs <= 0) {
    if (lastUsedMs === null || lastUsedMs < expiresAtMs - inUseMs) return [];
    const text = `the API token ${name} has ended, and was in use`;
    return [{ ...one, severity: 'critical', text, sinceMs: expiresAtMs, examples }];
  }
  const lifeMs = expiresAtMs - createdAtMs;
  if (lifeMs < shortLifeMs || leftMs > lifeMs * lastPart) return [];
  const severity = leftMs <= urgentMs ? 'critical' : 'warning';
  const text = `the API token ${name} ends in ${span(leftMs)}`;
  return [{ ...one, severity, text, sinceMs: undefined, examples }];
}

/** Of a token that nobody has used, whoever asked for it may still wait. */
function ofEnrollment(tokens: readonly EndingEnrollmentToken[]): AttentionView[] {
  const count = tokens.length;
  if (count === 0) return [];
  const text =
    count === 1
      ? 'an enrollment token ends within a day, and was not used'
      : `${count} enrollment tokens end within a day, and were not used`;
  const examples = tokens
    .slice(0, examplesMax)
    .map(({ id, match }) => ({ id, name: match.join(', ') }));
  return [
    {
      kind: 'token',
      severity: 'info',
      text,
      count,
      sinceMs: undefined,
      state: undefined,
      examples,
    },
  ];
}
