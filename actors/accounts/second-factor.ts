import type { AccountRecord } from './messages.ts';
import { recoveryHash } from './recovery-codes.ts';
import { matchTotp } from './totp.ts';
import type { SecretSeal } from './totp-seal.ts';

export interface TakenCode {
  readonly totpStep: number;
  readonly recoveryHashes: readonly string[];
  /** It was a recovery code. */
  readonly recovery: boolean;
}

/** What changes when the code is used up; undefined when it is wrong or was used before. */
export function takeCode(
  seal: SecretSeal,
  { id, totpSealed, totpStep, recoveryHashes }: AccountRecord,
  code: string,
  nowMs: number,
): TakenCode | undefined {
  if (totpSealed === undefined) return undefined;
  const step = matchTotp(seal.open(totpSealed, id), code, nowMs, totpStep);
  if (step !== undefined) return { totpStep: step, recoveryHashes, recovery: false };
  const hash = recoveryHash(code);
  if (!recoveryHashes.includes(hash)) return undefined;
  const left = recoveryHashes.filter((each) => each !== hash);
  return { totpStep, recoveryHashes: left, recovery: true };
}
