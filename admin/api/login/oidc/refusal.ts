import { AdminError, type AdminErrorCode } from '../../../errors.ts';

interface LibraryError {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly error?: unknown;
  readonly error_description?: unknown;
  readonly cause?: unknown;
  readonly claim?: unknown;
}

const byClaim = new Map<unknown, AdminErrorCode>([
  ['nonce', 'OIDC_NONCE_MISMATCH'],
  ['aud', 'OIDC_AUDIENCE_MISMATCH'],
  ['azp', 'OIDC_AUDIENCE_MISMATCH'],
  ['iss', 'OIDC_ISSUER_MISMATCH'],
]);

const unreachable = new Set([
  'OAUTH_TIMEOUT',
  'OAUTH_ABORT',
  'OAUTH_RESPONSE_IS_NOT_CONFORM',
  'OAUTH_RESPONSE_IS_NOT_JSON',
  'OAUTH_HTTP_REQUEST_FORBIDDEN',
  'OAUTH_REQUEST_PROTOCOL_FORBIDDEN',
  'OAUTH_MISSING_SERVER_METADATA',
  'OAUTH_INVALID_SERVER_METADATA',
]);
const causesMax = 5;
const wordsLengthMax = 200;

/** What the OpenID library objects to, as a coded refusal. The token itself is in none of the words. */
export function refusalOf(error: unknown): AdminError {
  if (error instanceof AdminError) return error;
  const chain = causesOf(error);
  const codes = chain.map(({ code }) => code);
  const claim = chain.map((each) => each.claim).find((each) => typeof each === 'string');
  if (codes.includes('OAUTH_JWT_CLAIM_COMPARISON_FAILED')) {
    return new AdminError(byClaim.get(claim) ?? 'OIDC_TOKEN_INVALID', words(claim));
  }
  if (codes.includes('OAUTH_JWT_TIMESTAMP_CHECK_FAILED')) {
    return new AdminError('OIDC_TOKEN_EXPIRED', words(claim));
  }
  if (codes.includes('OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED')) {
    return new AdminError('OIDC_ISSUER_MISMATCH');
  }
  const answer = chain.find((each) => typeof each.error === 'string');
  if (answer !== undefined) {
    const said = [answer.error, answer.error_description].map(words).filter(Boolean).join(': ');
    return new AdminError('OIDC_REFUSED', said);
  }
  const system = codes.some((code) => typeof code === 'string' && !code.startsWith('OAUTH_'));
  const [innermost] = chain.toReversed();
  const reason = words(innermost?.message);
  if (system || codes.some((code) => unreachable.has(String(code)))) {
    return new AdminError('OIDC_UNREACHABLE', reason);
  }
  return new AdminError('OIDC_TOKEN_INVALID', reason);
}

function causesOf(error: unknown): LibraryError[] {
  const chain: LibraryError[] = [];
  let next: unknown = error;
  while (typeof next === 'object' && next !== null && chain.length < causesMax) {
    chain.push(next);
    next = (next as LibraryError).cause;
  }
  return chain;
}

function words(text: unknown): string | undefined {
  return typeof text === 'string' ? text.slice(0, wordsLengthMax) : undefined;
}
