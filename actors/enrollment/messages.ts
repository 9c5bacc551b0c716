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
      /** The envoy whose certificate the connection shows; absent without one. */
      envoyId?: string;
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

/** Actors that registrations are spread over, so that several bcrypt checks run at once. */
const registrationLanes = 8;

/** Where a registration goes: always the same actor for one token, so that it is used once. */
export function registrationAddress(token: string): Address<EnrollmentMessages> {
  let sum = 0;
  // The identifier of the token; see token.ts.
  for (const digit of token.slice(0, 27)) sum = (sum + digit.charCodeAt(0)) % registrationLanes;
  return { kind: 'enrollment', key: `lane-${sum}` };
}

export function enrollmentAddress(): Address<EnrollmentMessages> {
  return { kind: 'enrollment', key: 'main' };
}
