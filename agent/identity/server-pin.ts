import { AgentError } from '../errors.ts';
import { fromHex } from '../protocol/bytes.ts';

/**
 * What a new node trusts the server by: the CA's certificate itself, or the start of the SHA-256 of
 * its DER form.
 */
export type ServerPin =
  | { readonly kind: 'authority'; readonly pem: string }
  /** Lower-case hexadecimal, 32 to 64 digits. */
  | { readonly kind: 'fingerprint'; readonly sha256: string };

/** 128 bits: enough that nobody finds a second certificate for it. */
const fingerprintDigits = 32;

/** "sha256:<64 hex>", with or without colons between the bytes. */
export function parseFingerprint(text: string): ServerPin {
  const hex = text
    .replace(/^sha256:/i, '')
    .replaceAll(':', '')
    .toLowerCase();
  if (hex.length !== 64 || fromHex(hex) === undefined)
    throw new AgentError('AGENT_USAGE', 'a fingerprint is sha256: and 64 hexadecimal digits');
  return { kind: 'fingerprint', sha256: hex };
}

/**
 * Tokens read "vigo-token-<id>.<secret>.<first 32 hex digits of the CA's fingerprint>". Undefined
 * when this one carries no fingerprint.
 */
export function pinOfToken(token: string): ServerPin | undefined {
  const fields = token.split('.');
  const last = fields[2]?.toLowerCase() ?? '';
  if (fields.length !== 3 || !fields[0]!.startsWith('vigo-token-')) return undefined;
  if (last.length !== fingerprintDigits || fromHex(last) === undefined) return undefined;
  return { kind: 'fingerprint', sha256: last };
}
