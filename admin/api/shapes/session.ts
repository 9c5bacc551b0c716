import { Type } from 'typebox';
import { object } from '../schemas.ts';

/** A session that was opened; see sessionAnswer in routes/login.ts. */
export const sessionShape = object({
  sessionId: Type.String(),
  expiresAtMs: Type.Number(),
  name: Type.Optional(Type.String()),
  mustChangePassword: Type.Optional(Type.Boolean()),
  token: Type.Optional(
    Type.String({ description: 'with `as: token`; otherwise it is in the cookie' }),
  ),
});

/** A session, or the question for the second factor. */
export const loginShape = Type.Union([
  sessionShape,
  object({ challenge: Type.String(), expiresAtMs: Type.Number() }),
]);
