import { createHmac, timingSafeEqual } from 'node:crypto';

/** RFC 6238 with what every authenticator app does: SHA-1, six digits, thirty seconds. */
const stepMs = 30_000;
const digits = 6;
/** Steps before and after now that are taken, for clocks that differ. */
const driftSteps = 1;
/** RFC 4226 section 4 asks for 160 bits. */
export const totpSecretBytes = 20;

const base32Digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** The code of a step. */
export function totpCode(secret: Uint8Array, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac('sha1', secret).update(counter).digest();
  const offset = (mac.at(-1) ?? 0) & 15;
  const number = mac.readUInt32BE(offset) & 0x7fffffff;
  return String(number % 10 ** digits).padStart(digits, '0');
}

export function totpStepAt(atMs: number): number {
  return Math.floor(atMs / stepMs);
}

/**
 * The step that the code is of, or undefined when it is wrong or its step is not after `lastStep`: a
 * code that was seen once, by whomever, is worth nothing any more.
 */
export function matchTotp(
  secret: Uint8Array,
  code: string,
  nowMs: number,
  lastStep: number,
): number | undefined {
  const offered = Buffer.from(code.replaceAll(/\s/g, ''));
  if (offered.length !== digits) return undefined;
  const now = totpStepAt(nowMs);
  for (let step = now - driftSteps; step <= now + driftSteps; step++) {
    const same = timingSafeEqual(Buffer.from(totpCode(secret, step)), offered);
    if (same && step > lastStep) return step;
  }
  return undefined;
}

/** RFC 4648, without padding. */
export function base32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += base32Digits[(held >> (bits - 5)) & 31];
    held &= (1 << bits) - 1;
  }
  return bits === 0 ? text : text + base32Digits[(held << (5 - bits)) & 31];
}

/** What authenticator apps read from a QR code (the Key URI format). */
export function totpUri(secret: Uint8Array, account: string, issuer: string): string {
  const label = `${encodeURIComponent(issuer)}:${encodeURIComponent(account)}`;
  const query = new URLSearchParams({ secret: base32(secret), issuer });
  return `otpauth://totp/${label}?${query.toString().replaceAll('+', '%20')}`;
}
