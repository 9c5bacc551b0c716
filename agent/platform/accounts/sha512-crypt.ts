import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * SHA-512 crypt, "Unix crypt using SHA-256 and SHA-512" by Ulrich Drepper, version 0.4: what
 * /etc/shadow holds as `$6$[rounds=N$]salt$hash`.
 */
const defaultRounds = 5000;
const minimumRounds = 1000;
/** The specification allows 999,999,999, which would take half an hour. */
const maximumRounds = 1_000_000;
const saltLimit = 16;
const digestLength = 64;
const alphabet = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

interface Setting {
  readonly salt: string;
  readonly rounds: number;
  /** "$6$" with the rounds as they were written, without the salt. */
  readonly prefix: string;
}

/** The hash of a password for a setting such as "$6$salt" or a whole earlier hash; undefined for other methods. */
export function sha512Crypt(password: string, setting: string): string | undefined {
  const parsed = parseSetting(setting);
  if (parsed === undefined) return undefined;
  const digest = derive(Buffer.from(password), Buffer.from(parsed.salt), parsed.rounds);
  return `${parsed.prefix}${parsed.salt}$${encode(digest)}`;
}

/** Whether `hash` (a field of /etc/shadow) is of this password; false for other methods. */
export function sha512CryptMatches(password: string, hash: string): boolean {
  const again = Buffer.from(sha512Crypt(password, hash) ?? '');
  const known = Buffer.from(hash);
  return again.length === known.length && again.length > 0 && timingSafeEqual(again, known);
}

/** A salt of 16 characters from 16 random bytes. */
export function saltOf(random: Uint8Array): string {
  return Array.from(random.subarray(0, saltLimit), (byte) => alphabet[byte & 63]).join('');
}

function parseSetting(setting: string): Setting | undefined {
  const match = /^\$6\$(?:rounds=(\d{1,9})\$)?([^$]*)/.exec(setting);
  if (match === null) return undefined;
  const salt = Buffer.from(match[2]!).subarray(0, saltLimit).toString();
  if (match[1] === undefined) return { salt, rounds: defaultRounds, prefix: '$6$' };
  const rounds = Math.max(minimumRounds, Number(match[1]));
  if (rounds > maximumRounds) return undefined;
  return { salt, rounds, prefix: `$6$rounds=${rounds}$` };
}

function sha512(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha512');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** `source` repeated to `length` bytes. */
function repeat(source: Uint8Array, length: number): Buffer {
  return Buffer.alloc(length, source);
}

/** Steps 1 to 21 of the specification. */
function derive(password: Buffer, salt: Buffer, rounds: number): Buffer {
  let digest = initialDigest(password, salt);
  const dp = sha512(...Array.from({ length: password.length }, () => password));
  const p = repeat(dp, password.length);
  const ds = sha512(...Array.from({ length: 16 + digest[0]! }, () => salt));
  const s = repeat(ds, salt.length);
  for (let round = 0; round < rounds; round += 1) {
    const parts: Buffer[] = [round % 2 === 1 ? p : digest];
    if (round % 3 !== 0) parts.push(s);
    if (round % 7 !== 0) parts.push(p);
    parts.push(round % 2 === 1 ? digest : p);
    digest = sha512(Buffer.concat(parts));
  }
  return digest;
}

/** Steps 1 to 12: digest A. */
function initialDigest(password: Buffer, salt: Buffer): Buffer {
  const b = sha512(password, salt, password);
  const parts: Buffer[] = [password, salt, repeat(b, password.length)];
  for (let bits = password.length; bits > 0; bits >>= 1)
    parts.push((bits & 1) === 1 ? b : password);
  return sha512(...parts);
}

/** Step 22: groups of three bytes in the order of the specification, six bits to a character. */
function encode(digest: Buffer): string {
  let text = '';
  for (let group = 0; group < 21; group += 1) {
    const triple = [group, group + 21, group + 42];
    const shift = group % 3;
    const at = (index: number) => digest[triple[(index + shift) % 3]!]!;
    text += characters((at(0) << 16) | (at(1) << 8) | at(2), 4);
  }
  return text + characters(digest[digestLength - 1]!, 2);
}

function characters(bits: number, count: number): string {
  let text = '';
  for (let rest = bits, index = 0; index < count; index += 1, rest >>= 6)
    text += alphabet[rest & 63];
  return text;
}
