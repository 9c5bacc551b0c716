import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

import type { WaitingProgram } from './handover.ts';

/** A login that the provider has not answered yet; the browser carries it, sealed. */
export interface PendingLogin {
  readonly state: string;
  readonly nonce: string;
  /** Of PKCE; never leaves us but to the provider. */
  readonly verifier: string;
  readonly redirectUri: string;
  /** A path of ours, for afterwards. */
  readonly next: string;
  /** It is for a program, not for the browser. */
  readonly program?: WaitingProgram;
  readonly expiresAtMs: number;
}

const pendingCookieName = '__Host-vigo_oidc';
export const pendingLifeMs = 600_000;

const algorithm = 'aes-256-gcm';
const ivBytes = 12;
const tagBytes = 16;
const valueLengthMax = 4000;
const attributes = 'Path=/; Secure; HttpOnly; SameSite=Lax';

/** Seals pending logins for the browser, so that strangers who begin logins fill nothing here. */
export class PendingLogins {
  /** Of this process: after a restart a login begins anew. */
  readonly #key = randomBytes(32);

  /** The value of the Set-Cookie header. */
  cookie(pending: PendingLogin): string {
    const iv = randomBytes(ivBytes);
    const cipher = createCipheriv(algorithm, this.#key, iv, { authTagLength: tagBytes });
    const sealed = Buffer.concat([
      iv,
      cipher.update(JSON.stringify(pending), 'utf8'),
      cipher.final(),
      cipher.getAuthTag(),
    ]).toString('base64url');
    return `${pendingCookieName}=${sealed}; ${attributes}; Max-Age=${pendingLifeMs / 1000}`;
  }

  /** What the browser carries; undefined when it is not ours or has ended. */
  open(cookieHeader: string | undefined, nowMs: number): PendingLogin | undefined {
    const value = cookieValue(cookieHeader);
    if (value === undefined || value.length > valueLengthMax) return undefined;
    const bytes = Buffer.from(value, 'base64url');
    if (bytes.length <= ivBytes + tagBytes) return undefined;
    const decipher = createDecipheriv(algorithm, this.#key, bytes.subarray(0, ivBytes), {
      authTagLength: tagBytes,
    });
    decipher.setAuthTag(bytes.subarray(-tagBytes));
    try {
      const text = Buffer.concat([
        decipher.update(bytes.subarray(ivBytes, -tagBytes)),
        decipher.final(),
      ]).toString('utf8');
      const pending = JSON.parse(text) as PendingLogin;
      return pending.expiresAtMs > nowMs ? pending : undefined;
    } catch {
      return undefined;
    }
  }
}

function cookieValue(header: string | undefined): string | undefined {
  const prefix = `${pendingCookieName}=`;
  const values = (header ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(prefix));
  return values.length === 1 ? values[0]?.slice(prefix.length) : undefined;
}
