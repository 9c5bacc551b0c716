import { type HpkePrimitives, hpkeSeal } from '../../agent/protocol/hpke.ts';
import { secretBinding } from '../../agent/protocol/secret.ts';
import type { ActorKind } from '../../runtime/actor.ts';
import type { SecretSealerMessages } from './messages.ts';
import type { SecretReader } from './reader.ts';

const mailboxLimit = 2_000;
/** Sealed bytes of one answer, far below the limit of the response. */
const answerBytesLimit = 512 * 1024;
const ephemeralLength = 32;

export interface SealerDependencies {
  readonly reader: SecretReader;
  readonly hpke: HpkePrimitives;
  /** X25519 form of an Ed25519 public key; throws SECRETS_KEY_UNUSABLE. */
  readonly agreementKey: (ed25519: Uint8Array) => Uint8Array;
}

/** Reads values and seals them; plain values exist nowhere else on their way to a node. */
export function secretSealerKind({
  reader,
  hpke,
  agreementKey,
}: SealerDependencies): ActorKind<undefined, SecretSealerMessages> {
  return {
    name: 'secret-sealer',
    placement: 'service',
    mailboxLimit,
    idleAfterMs: 60_000,
    restart: { maxRestarts: 10, withinMs: 60_000 },
    activate: () => undefined,
    handlers: {
      async seal(turn, { envoyId, publicKey, references, epoch }) {
        const recipient = agreementKey(publicKey);
        const sealed: { reference: string; sealedValue: Uint8Array }[] = [];
        const missing: string[] = [];
        let bytes = 0;
        for (const reference of references) {
          if (bytes >= answerBytesLimit) break;
          const value = await reader.value(reference);
          if (value === undefined) {
            missing.push(reference);
            continue;
          }
          const ephemeral = turn.ports.random.bytes(ephemeralLength);
          const binding = secretBinding(envoyId, reference, epoch);
          const text = new TextEncoder().encode(value);
          const sealedValue = hpkeSeal(hpke, recipient, ephemeral, binding, text);
          bytes += sealedValue.length;
          sealed.push({ reference, sealedValue });
        }
        return { sealed, missing };
      },
    },
  };
}
