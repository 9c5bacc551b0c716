import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

export type KeyAlgorithm = { name: 'Ed25519' } | { name: 'ECDSA'; namedCurve: string };

/** A PKCS#10 request of a fresh key, that names somebody else as its subject. */
export async function certificateRequest(
  algorithm: KeyAlgorithm = { name: 'Ed25519' },
): Promise<Uint8Array> {
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, [
    'sign',
    'verify',
  ])) as webcrypto.CryptoKeyPair;
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: 'CN=evil',
    keys,
    signingAlgorithm: { ...algorithm, hash: 'SHA-256' },
  });
  return new Uint8Array(request.rawData);
}
