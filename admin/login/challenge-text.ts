/**
 * What a key signs to log in. The text is for people and programs: whoever signs reads first which server
 * and which account it is for, so that a signature that one server asked for is worth nothing at another.
 */
export interface ChallengeFields {
  /** Name of the server, as people know it. */
  readonly server: string;
  /** SHA-256 of the certificate of the server's authority, lower-case hex. */
  readonly authority: string;
  readonly account: string;
  /** 32 random bytes, base64url. */
  readonly nonce: string;
  /** Milliseconds since the epoch. */
  readonly expiresAtMs: number;
}

const title = 'vigo login v1';
const form =
  /^vigo login v1\nserver: ([^\n]{1,255})\nauthority: ([0-9a-f]{64})\naccount: ([^\n]{1,64})\nnonce: ([\w-]{43})\nexpires: (\d{1,15})\n$/;

export function challengeText(fields: ChallengeFields): string {
  const { server, authority, account, nonce, expiresAtMs } = fields;
  return `${title}\nserver: ${server}\nauthority: ${authority}\naccount: ${account}\nnonce: ${nonce}\nexpires: ${expiresAtMs}\n`;
}

/** Undefined when it is no challenge of a login: then it must not be signed. */
export function parseChallenge(text: string): ChallengeFields | undefined {
  const match = form.exec(text);
  if (match === null) return undefined;
  const [, server = '', authority = '', account = '', nonce = '', expires] = match;
  return { server, authority, account, nonce, expiresAtMs: Number(expires) };
}
