import type { EnvoyCertificate } from '../server/certificate-authority.ts';

/** What the database keeps of a client certificate. */
export function certificateRecord({ serial, issuedAtMs, endsAtMs }: EnvoyCertificate) {
  return {
    certificateSerial: serial,
    certificateIssuedMs: issuedAtMs,
    certificateEndsMs: endsAtMs,
  };
}
