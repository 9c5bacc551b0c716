import { isCodedError } from './host.ts';
import type { MailOutcome } from './mail.ts';

/** A coded refusal is an answer; trouble of the engine is a reason to come again. */
export function deliveryOutcome(error: unknown): MailOutcome {
  if (!isCodedError(error)) return 'failed';
  switch (error.code) {
    case 'RUNTIME_ACTOR_FAILED':
    case 'RUNTIME_ACTIVATION_FAILED':
    case 'RUNTIME_UNKNOWN_MESSAGE':
    case 'RUNTIME_UNKNOWN_KIND':
    case 'RUNTIME_NOT_ENCODABLE':
      return 'failed';
    default:
      return error.code.startsWith('RUNTIME_') ? 'later' : 'delivered';
  }
}
