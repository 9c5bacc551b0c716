import type { Random } from '../../runtime/ports/random.ts';

/**
 * An enrollment token: `vigo-token-<id>.<secret>.<pin>`. `id` finds the record, `secret` is what only
 * the bearer knows, and `pin` is the start of the SHA-256 fingerprint of the server's CA
 * certificate, so that the agent recognises its server before it sends the secret.
 */
export interface EnrollmentToken {
  readonly id: string;
  readonly secret: string;
  /** 32 hex digits. */
  readonly pin: string;
}

export const pinLength = 32;
const tokenForm = /^vigo-token-([0-9a-f]{16})\.([A-Za-z0-9_-]{32})\.([0-9a-f]{32})$/;
const idBytes = 8;
const secretBytes = 24;

export function parseToken(text: string): EnrollmentToken | undefined {
  const [, id, secret, pin] = tokenForm.exec(text) ?? [];
  if (id === undefined || secret === undefined || pin === undefined) return undefined;
  return { id, secret, pin };
}

export function formatToken({ id, secret, pin }: EnrollmentToken): string {
  return `vigo-token-${id}.${secret}.${pin}`;
}

/** `fingerprint`: SHA-256 of the CA certificate's DER, hex. */
export function makeToken(random: Pick<Random, 'bytes'>, fingerprint: string): EnrollmentToken {
  return {
    id: Buffer.from(random.bytes(idBytes)).toString('hex'),
    secret: Buffer.from(random.bytes(secretBytes)).toString('base64url'),
    pin: fingerprint.slice(0, pinLength),
  };
}
