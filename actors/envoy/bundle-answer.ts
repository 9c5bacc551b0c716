import type { Signer } from '../../agent/protocol/crypto.ts';
import type { CheckInRequest } from '../../agent/protocol/gen/vigo/v1/agent.ts';
import type { SignedBundle } from '../../agent/protocol/gen/vigo/v1/bundle.ts';
import type { SignedRequest } from '../../agent/protocol/gen/vigo/v1/envelope.ts';
import { signManifest } from '../../agent/protocol/manifest.ts';
import type { Turn } from '../../runtime/actor.ts';
import { publishAddress } from '../publish/messages.ts';
import type { PolicyView } from './policy-view.ts';
import type { EnvoyRecord } from './record.ts';
import { bundleFor, knownSame, renewalDue } from './rules.ts';
import type { SecretView } from './secret-view.ts';

const noDocument = Buffer.alloc(0);

interface PolicyDependencies {
  readonly policy: PolicyView;
  readonly secrets: SecretView;
  readonly signer: Signer;
  readonly bundleMaxAgeMs: number;
}

interface CheckInSituation {
  readonly record: EnvoyRecord;
  readonly request: SignedRequest;
  readonly body: CheckInRequest;
  readonly nowMs: number;
}

/** The bundle for the answer; undefined = the envoy enforces the current one. Changes `record`. */
export function answerBundle(
  dependencies: PolicyDependencies,
  turn: Turn<EnvoyRecord>,
  { record, request, body, nowMs }: CheckInSituation,
): SignedBundle | undefined {
  const { policy, secrets, bundleMaxAgeMs } = dependencies;
  const current = policy.current();
  if (current.version === 0) return undefined;
  if (
    knownSame(record, body, current) &&
    !renewalDue(body.bundleExpiresAtMs, bundleMaxAgeMs, nowMs) &&
    !secrets.isOutdated(body.bundleRoot, body.secretsEpoch)
  ) {
    return undefined;
  }
  const { version, revision, root } = policy.assigned(turn.key);
  if (root === undefined) {
    const hostname = policy.identity(turn.key)?.hostname ?? '';
    turn.tell(publishAddress(), 'assign', { envoyId: turn.key, hostname });
    return undefined;
  }
  record.servedRevision = revision;
  record.setServedRoot(root);
  // What a node has held never falls behind: it refuses a manifest of an older epoch.
  const secretsEpoch = Math.max(secrets.epochOf(root), body.secretsEpoch);
  const part = bundleFor(body, { version, root }, bundleMaxAgeMs, nowMs);
  if (part === 'same' && secretsEpoch === body.secretsEpoch) return undefined;
  const document = part === 'document' ? policy.document(root) : noDocument;
  // The document of an assignment that is just being replaced may be gone; the next check-in has it.
  if (document === undefined) return undefined;
  const manifest = {
    envoyId: request.envoyId,
    policyVersion: version,
    bundleRoot: Buffer.from(root),
    issuedAtMs: nowMs,
    expiresAtMs: bundleMaxAgeMs === 0 ? 0 : nowMs + bundleMaxAgeMs,
    secretsEpoch,
  };
  const signature = Buffer.from(signManifest(manifest, dependencies.signer));
  return { manifest, signature, document: Buffer.from(document) };
}
