import type { Address } from '../../runtime/actor.ts';

/** Enrollment decides who becomes an envoy. One actor, in the service pool. */
export type EnrollmentMessages = {
  /** Rejects with ENROLLMENT_TOKEN_UNKNOWN, _USED, _EXPIRED, _HOSTNAME or ENROLLMENT_BAD_REQUEST; all audited. */
  register: {
    payload: {
      token: string;
      hostname: string;
      /** PKCS#10, DER. */
      certificateRequest: Uint8Array;
      agentVersion: string;
      peerAddress: string;
    };
    reply: { envoyId: string; certificateChain: Uint8Array[] };
  };
  createToken: {
    payload: { match: string[]; expiresInMs: number; by: string };
    /** The token is shown this once; only its bcrypt hash is kept. */
    reply: { id: string; token: string; expiresAtMs: number };
  };
  revokeToken: { payload: { id: string; by: string }; reply: undefined };
  revokeEnvoy: { payload: { envoyId: string; reason: string; by: string }; reply: undefined };
};

export function enrollmentAddress(): Address<EnrollmentMessages> {
  return { kind: 'enrollment', key: 'main' };
}
