import type { Signer } from '../protocol/crypto.ts';
import {
  derBitString,
  derContextZero,
  derObjectIdentifier,
  derSequence,
  derSet,
  derSmallInteger,
  derUtf8,
} from './der.ts';

const commonName = '2.5.4.3';
/** RFC 8410, section 3. */
const ed25519 = '1.3.101.112';
/** RFC 5280, appendix A: ub-common-name. */
const commonNameLimit = 64;

/**
 * A PKCS#10 certification request (RFC 2986) for an Ed25519 key (RFC 8410), DER. The subject is the
 * host's name; the server decides about everything else that the certificate says. Longer names are
 * cut to the 64 characters that X.509 allows.
 */
export function certificateRequest(hostname: string, signer: Signer): Uint8Array {
  const algorithm = derSequence(derObjectIdentifier(ed25519));
  const subject = derSequence(
    derSet(
      derSequence(derObjectIdentifier(commonName), derUtf8(hostname.slice(0, commonNameLimit))),
    ),
  );
  const information = derSequence(
    derSmallInteger(0),
    subject,
    derSequence(algorithm, derBitString(signer.publicKey)),
    derContextZero(),
  );
  return derSequence(information, algorithm, derBitString(signer.sign(information)));
}
