import { createHash } from 'node:crypto';
import { base32 } from './totp.ts';

export const recoveryCodeCount = 10;
/** 80 bits: a fast hash is enough. */
const codeBytes = 10;

/** For when the authenticator is lost; each works once. */
export function makeRecoveryCodes(randomBytes: (count: number) => Uint8Array): string[] {
  return Array.from({ length: recoveryCodeCount }, () => {
    const text = base32(randomBytes(codeBytes)).toLowerCase();
    return text.replaceAll(/(.{4})(?=.)/g, '$1-');
  });
}

/** Hex; however the code was typed. */
export function recoveryHash(code: string): string {
  const plain = code.toLowerCase().replaceAll(/[^a-z2-7]/g, '');
  return createHash('sha256').update(plain).digest('hex');
}
