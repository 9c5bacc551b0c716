import {
  type ResolveSecretsRequest,
  ResolveSecretsResponse,
} from '../../agent/protocol/gen/vigo/v1/agent.ts';
import type { SignedRequest } from '../../agent/protocol/gen/vigo/v1/envelope.ts';
import { protocolVersion } from '../../agent/protocol/limits.ts';
import type { Turn } from '../../runtime/actor.ts';
import { codeOf } from '../errors.ts';
import type { RehearsalView } from '../plan/rehearsal-view.ts';
import { sealerAddress } from '../secrets/messages.ts';
import type { Answer } from './messages.ts';
import type { PolicyView } from './policy-view.ts';
import type { EnvoyRecord } from './record.ts';
import type { Refusal } from './rules.ts';
import type { SecretView } from './secret-view.ts';

/** References of one request; an agent asks again for more. */
export const referencesPerRequest = 1_000;
const sealDeadlineMs = 15_000;
const retryMs = 5_000;
const shownReferenceLimit = 300;

interface SecretDependencies {
  readonly policy: PolicyView;
  readonly secrets: SecretView;
  readonly rehearsals?: Pick<RehearsalView, 'references'>;
}

interface SecretsPayload {
  readonly request: SignedRequest;
  readonly body: ResolveSecretsRequest;
}

/**
 * Sealed values for an envoy whose request was accepted: of references in the bundle that is assigned
 * to it or that it is asked to rehearse, and of no other. Values are read and sealed by the service
 * thread; a shard never holds one.
 */
export async function answerSecrets(
  { policy, secrets, rehearsals }: SecretDependencies,
  turn: Turn<EnvoyRecord>,
  { request, body }: SecretsPayload,
): Promise<Answer> {
  const { root } = policy.assigned(turn.key);
  const identity = policy.identity(turn.key);
  const own = root !== undefined && Buffer.compare(root, body.bundleRoot) === 0;
  const allowed = own
    ? secrets.references(root)
    : rehearsals?.references(turn.key, body.bundleRoot);
  if (allowed === undefined || identity === undefined)
    return { code: 'REQUEST_SECRET_OUTDATED', details: {}, retryAfterMs: retryMs };
  const refusal = refuseReferences(body.references, allowed);
  if (refusal !== undefined) return refusal;
  const epoch = own ? Math.max(secrets.epochOf(root), 0) : 0;
  const { envoyId } = request;
  const payload = {
    envoyId: Uint8Array.from(envoyId),
    publicKey: identity.publicKey,
    references: [...new Set(body.references)],
    epoch,
  };
  try {
    const address = sealerAddress(envoyId);
    const { sealed, missing } = await turn.ask(address, 'seal', payload, sealDeadlineMs);
    return ResolveSecretsResponse.encode({
      protocolVersion,
      secrets: sealed.map(({ reference, sealedValue }) => ({
        reference,
        sealedValue: Buffer.from(sealedValue),
      })),
      secretsEpoch: epoch,
      traceparent: request.traceparent,
      missing: [...missing],
    }).finish();
  } catch (error) {
    const reason = codeOf(error) || 'the server failed to read it';
    return { code: 'REQUEST_SECRETS_UNAVAILABLE', details: { reason }, retryAfterMs: retryMs };
  }
}

function refuseReferences(
  asked: readonly string[],
  allowed: ReadonlySet<string>,
): Refusal | undefined {
  if (asked.length > referencesPerRequest) {
    const reason = `more than ${referencesPerRequest} references`;
    return { code: 'REQUEST_MALFORMED', details: { reason }, retryAfterMs: 0 };
  }
  const foreign = asked.find((path) => !allowed.has(path));
  if (foreign === undefined) return undefined;
  const reference = foreign.slice(0, shownReferenceLimit);
  return { code: 'REQUEST_SECRET_FOREIGN', details: { reference }, retryAfterMs: 0 };
}
