import { hash, verify } from '@node-rs/argon2';

/** One-way hashes of passwords. Slow on purpose; both run outside of the calling thread. */
export interface PasswordHash {
  hash(password: string): Promise<string>;
  /** `expected` is a PHC string. */
  verify(password: string, expected: string): Promise<boolean>;
}

const argon2id = 2;
/** OWASP Password Storage Cheat Sheet: argon2id with 19 MiB, two passes, one lane. */
const parameters = {
  algorithm: argon2id,
  memoryCost: 19_456,
  timeCost: 2,
  parallelism: 1,
} as const;

/** argon2id on libuv's thread pool; about 50 ms of a core. */
export function argon2Passwords(): PasswordHash {
  return {
    hash: (password) => hash(normal(password), parameters),
    verify: (password, expected) => verify(expected, normal(password)),
  };
}

/** The same password typed on another keyboard is the same bytes. */
function normal(password: string): string {
  return password.normalize('NFKC');
}

export const passwordLengthMin = 12;
export const passwordLengthMax = 200;
const distinctMin = 5;

/** What is left of common passwords when digits and signs are taken away. */
const commonWords = new Set([
  'password',
  'passwort',
  'qwerty',
  'qwertz',
  'qwertyuiop',
  'qwertzuiop',
  'asdfghjkl',
  'letmein',
  'welcome',
  'willkommen',
  'iloveyou',
  'administrator',
  'admin',
  'changeme',
  'changemenow',
  'secret',
  'vigo',
  'vigoadmin',
  'trustno',
  'abcdefghijkl',
  'correcthorsebatterystaple',
]);
const digits = '01234567890123456789';

/** Why the password must not be used, or undefined. NIST SP 800-63B: length counts, not classes. */
export function passwordProblem(password: string, name: string): string | undefined {
  const text = normal(password);
  const length = [...text].length;
  if (length < passwordLengthMin) return `it has ${length} characters, and needs 12`;
  if (length > passwordLengthMax) return `it has more than ${passwordLengthMax} characters`;
  const lower = text.toLowerCase();
  if (new Set(lower).size < distinctMin) return 'it repeats the same few characters';
  const letters = lower.replaceAll(/[^\p{L}]/gu, '');
  if (lower === name || (letters === name && name !== '')) return 'it is the name of the account';
  const isCommon = commonWords.has(letters) || digits.includes(lower);
  return isCommon ? 'it is one of the first that are tried' : undefined;
}
