/**
 * The browser's session. The prefix `__Host-` makes browsers insist on Secure and Path=/ and refuse a
 * Domain, so that no neighbouring host can plant one.
 */
export const sessionCookieName = '__Host-vigo_session';

const attributes = 'Path=/; Secure; HttpOnly; SameSite=Lax';

/** The value, when the header has exactly one cookie of the name. */
export function readSessionCookie(header: string | undefined): string | undefined {
  const values = (header ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${sessionCookieName}=`))
    .map((pair) => pair.slice(sessionCookieName.length + 1));
  return values.length === 1 ? values[0] : undefined;
}

/** The value of the Set-Cookie header for a new session. */
export function sessionCookie(token: string, lifetimeMs: number): string {
  const seconds = Math.max(0, Math.floor(lifetimeMs / 1000));
  return `${sessionCookieName}=${token}; ${attributes}; Max-Age=${seconds}`;
}

/** The value of the Set-Cookie header that takes the cookie away. */
export const endedSessionCookie = `${sessionCookieName}=; ${attributes}; Max-Age=0`;
