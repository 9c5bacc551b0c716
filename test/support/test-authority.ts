import { createPrivateKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import {
  type CertificateAuthority,
  createAuthorityCertificate,
  openCertificateAuthority,
} from '../../actors/server/certificate-authority.ts';
import { generateKeyPem, pemSigner } from '../../agent/platform/crypto.ts';
import { makeUuid, uuidToText } from '../../agent/protocol/uuid.ts';

const validityMs = 86_400_000;
const ports = {
  clock: { nowMs: () => Date.now() },
  random: { bytes: (length: number) => randomBytes(length) },
};

/** A certificate authority with the files of its server. */
export interface TestAuthority {
  readonly authority: CertificateAuthority;
  readonly serverCertificate: string;
  readonly serverKey: string;
}

function p256Pem(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
}

export async function testAuthority(): Promise<TestAuthority> {
  const keyPem = p256Pem();
  const certificatePem = await createAuthorityCertificate(keyPem, ports);
  const authority = await openCertificateAuthority({ certificatePem, keyPem }, ports);
  const serverKey = p256Pem();
  const serverCertificate = await authority.issueServer(
    createPrivateKey(serverKey),
    { dns: ['localhost'], ip: ['127.0.0.1'] },
    validityMs,
  );
  return { authority, serverCertificate, serverKey };
}

export interface TestIdentity {
  readonly envoyId: string;
  readonly publicKey: Uint8Array;
  readonly certificate: string;
  readonly key: string;
}

/** An identity that the authority vouches for; `validityMs` may be negative. */
export async function testIdentity(
  { authority }: TestAuthority,
  grant: { envoyId?: string; validityMs?: number } = {},
): Promise<TestIdentity> {
  const envoyId = grant.envoyId ?? uuidToText(makeUuid(randomBytes(16)));
  const key = generateKeyPem();
  const { publicKey } = pemSigner(key);
  const issued = await authority.issueEnvoy(publicKey, {
    envoyId,
    validityMs: grant.validityMs ?? validityMs,
  });
  const body = Buffer.from(issued.der).toString('base64').replace(/.{64}/g, '$&\n');
  const certificate = `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`;
  return { envoyId, publicKey, certificate, key };
}
