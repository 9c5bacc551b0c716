import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { BenchError } from '../errors.ts';

/** A simulated envoy's enrolment, as `vigosrv provision` wrote it. */
export interface Identity {
  readonly envoyId: string;
  readonly hostname: string;
  /** PKCS#8 PEM of its Ed25519 key. */
  readonly keyPem: string;
  readonly certificatePem: string;
}

export function readIdentities(path: string, count: number): Identity[] {
  const parsed = JSON.parse(readFileSync(path, 'utf8')) as { envoys: Identity[] };
  if (parsed.envoys.length < count) {
    throw new BenchError('BENCH_SERVER', `${path} holds ${parsed.envoys.length} of ${count}`);
  }
  return parsed.envoys.slice(0, count);
}

/** The 32 secret bytes of an Ed25519 private key (the tail of its PKCS#8 form, RFC 8410). */
export function seedOf(keyPem: string): Uint8Array {
  return createPrivateKey(keyPem).export({ format: 'der', type: 'pkcs8' }).subarray(-32);
}
