import type { Principal } from './authenticate.ts';

/** Names the holder of a scope in what is refused to it. */
const anybodyOfScope = 'this account';

/**
 * Everything of a principal that decides what it may see, and nothing of who it is: what is made for a
 * scope may be shown to all who have it.
 */
export function scopeOf(asker: Principal): Principal {
  const { role, grants, permissions, envoys, mustChangePassword } = asker;
  return {
    by: anybodyOfScope,
    name: anybodyOfScope,
    role,
    ...(grants === undefined ? {} : { grants }),
    ...(permissions === undefined ? {} : { permissions }),
    ...(envoys === undefined ? {} : { envoys }),
    ...(mustChangePassword === undefined ? {} : { mustChangePassword }),
    tokenId: undefined,
    expiresAtMs: undefined,
  };
}

/**
 * The same text for principals who may see the same. A limit that is absent is none; an empty one
 * leaves nothing.
 */
export function scopeKey({
  role,
  grants = [],
  permissions,
  envoys,
  mustChangePassword = false,
}: Principal): string {
  return JSON.stringify([role, grants, permissions ?? null, envoys ?? null, mustChangePassword]);
}
