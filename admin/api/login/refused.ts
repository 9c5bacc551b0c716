import { federationAddress, type RefusedLogin } from '../../../actors/federation/messages.ts';
import type { Backend } from '../backend.ts';

const tellDeadlineMs = 10_000;

/** For the audit log. The refusal stands, whether the log could take it or not. */
export async function tellRefusal(
  backend: Backend,
  refused: Omit<RefusedLogin, 'code'>,
  error: unknown,
): Promise<void> {
  const { code } = error as { code?: unknown };
  const payload = { ...refused, code: typeof code === 'string' ? code : 'API_INTERNAL' };
  await backend
    .ask(federationAddress(), 'loginRefused', payload, tellDeadlineMs)
    .catch((failure: unknown) => {
      backend.log('warn', 'a refused login is not in the audit log', {
        code: payload.code,
        cause: String(failure),
      });
    });
}
