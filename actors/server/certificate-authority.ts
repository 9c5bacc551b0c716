import 'reflect-metadata';
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  webcrypto,
  X509Certificate,
} from 'node:crypto';
import * as x509 from '@peculiar/x509';
import type { Clock } from '../../runtime/ports/clock.ts';
import type { Random } from '../../runtime/ports/random.ts';
import { envoyUri } from '../enrollment/identity.ts';
import { ServerError } from '../errors.ts';

/** The server's own CA signs two kinds of certificates: the server's and the envoys'. */
export interface CertificateAuthority {
  readonly certificateDer: Uint8Array;
  readonly certificatePem: string;
  /** SHA-256 of the certificate's DER, hex; tokens carry its first 32 digits. */
  readonly fingerprint: string;
  /** Throws CERTIFICATE_REQUEST_*; what the request says about its subject is ignored. */
  signEnvoyRequest(request: Uint8Array, grant: EnvoyGrant): Promise<EnvoyCertificate>;
  /** For a key that needs no proof of possession because we made it. `publicKey` is 32 bytes. */
  issueEnvoy(publicKey: Uint8Array, grant: EnvoyGrant): Promise<EnvoyCertificate>;
  issueServer(key: KeyObject, names: ServerNames, validityMs: number): Promise<string>;
}

export interface EnvoyGrant {
  readonly envoyId: string;
  readonly validityMs: number;
}

export interface EnvoyCertificate {
  readonly der: Uint8Array;
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Hex. */
  readonly serial: string;
  /** Milliseconds since 1970; its validity begins a little earlier. */
  readonly issuedAtMs: number;
  /** Milliseconds since 1970, of a whole second, as the certificate tells it. */
  readonly endsAtMs: number;
}

export interface ServerNames {
  readonly dns: readonly string[];
  readonly ip: readonly string[];
}

export interface AuthorityPorts {
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly random: Pick<Random, 'bytes'>;
}

const secondMs = 1_000;
export const dayMs = 86_400_000;
const authorityValidityMs = 10 * 365 * dayMs;
/** Certificates start a little in the past, for nodes whose clocks are behind. */
const backdateMs = 3_600_000;
/** Largest certificate request that is parsed; an Ed25519 one has about 200 bytes. */
export const certificateRequestLimit = 4096;
const serialBytes = 16;
const ecdsa = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
/** AlgorithmIdentifier of Ed25519 and the head of a BIT STRING of 64 bytes. */
const ed25519SignatureEnd = Buffer.from('300506032b6570034100', 'hex');
const ed25519SpkiPrefix = Buffer.from('302a300506032b6570032100', 'hex');

/** A self-signed P-256 certificate for this key, valid for ten years. PEM. */
export async function createAuthorityCertificate(
  keyPem: string,
  ports: AuthorityPorts,
): Promise<string> {
  const key = createPrivateKey(keyPem);
  const publicKey = await importPublic(createPublicKey(key));
  const now = ports.clock.nowMs();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: randomSerial(ports.random),
    name: [{ CN: ['Vigo CA'] }],
    notBefore: new Date(now - backdateMs),
    notAfter: new Date(now + authorityValidityMs),
    signingAlgorithm: ecdsa,
    keys: { publicKey, privateKey: await importPrivate(key) },
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
    ],
  });
  return `${certificate.toString('pem')}\n`;
}

/** Opens the CA from its two files' content; throws when they do not belong together. */
export async function openCertificateAuthority(
  files: { certificatePem: string; keyPem: string },
  ports: AuthorityPorts,
): Promise<CertificateAuthority> {
  const key = createPrivateKey(files.keyPem);
  const parsed = new X509Certificate(files.certificatePem);
  if (!parsed.checkPrivateKey(key)) throw new Error('the CA certificate is not of the CA key');
  const issuer = new x509.X509Certificate(parsed.raw);
  const context: IssueContext = {
    ports,
    issuerName: issuer.subject,
    notAfterMs: issuer.notAfter.getTime(),
    signingKey: await importPrivate(key),
    authorityKeyId: await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
  };
  return {
    certificateDer: new Uint8Array(parsed.raw),
    certificatePem: files.certificatePem,
    fingerprint: createHash('sha256').update(parsed.raw).digest('hex'),
    signEnvoyRequest: async (request, grant) =>
      await issueEnvoy(context, await verifiedRequestKey(request), grant),
    issueEnvoy: (publicKey, grant) => issueEnvoy(context, publicKey, grant),
    issueServer: (serverKey, names, validityMs) =>
      issueServer(context, serverKey, names, validityMs),
  };
}

interface IssueContext {
  readonly ports: AuthorityPorts;
  readonly issuerName: string;
  readonly notAfterMs: number;
  readonly signingKey: webcrypto.CryptoKey;
  readonly authorityKeyId: x509.Extension;
}

async function issueEnvoy(
  context: IssueContext,
  publicKey: Uint8Array,
  grant: EnvoyGrant,
): Promise<EnvoyCertificate> {
  const serial = randomSerial(context.ports.random);
  const { issuedAtMs, ...dates } = validity(context, grant.validityMs);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial,
    subject: [{ CN: [grant.envoyId] }],
    issuer: context.issuerName,
    ...dates,
    signingAlgorithm: ecdsa,
    signingKey: context.signingKey,
    publicKey: Buffer.concat([ed25519SpkiPrefix, publicKey]),
    extensions: [
      ...leafExtensions(context, x509.ExtendedKeyUsage.clientAuth),
      new x509.SubjectAlternativeNameExtension([{ type: 'url', value: envoyUri(grant.envoyId) }]),
    ],
  });
  const endsAtMs = dates.notAfter.getTime();
  return { der: new Uint8Array(certificate.rawData), publicKey, serial, issuedAtMs, endsAtMs };
}

async function issueServer(
  context: IssueContext,
  key: KeyObject,
  names: ServerNames,
  validityMs: number,
): Promise<string> {
  const { notBefore, notAfter } = validity(context, validityMs);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: randomSerial(context.ports.random),
    subject: [{ CN: ['Vigo server'] }],
    issuer: context.issuerName,
    notBefore,
    notAfter,
    signingAlgorithm: ecdsa,
    signingKey: context.signingKey,
    publicKey: await importPublic(createPublicKey(key)),
    extensions: [
      ...leafExtensions(context, x509.ExtendedKeyUsage.serverAuth),
      new x509.SubjectAlternativeNameExtension([
        ...names.dns.map((value) => ({ type: 'dns' as const, value })),
        ...names.ip.map((value) => ({ type: 'ip' as const, value })),
      ]),
    ],
  });
  return `${certificate.toString('pem')}\n`;
}

function leafExtensions(context: IssueContext, usage: x509.ExtendedKeyUsageType): x509.Extension[] {
  return [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    new x509.ExtendedKeyUsageExtension([usage]),
    context.authorityKeyId,
  ];
}

function validity(context: IssueContext, validityMs: number) {
  const issuedAtMs = context.ports.clock.nowMs();
  const endsMs = Math.min(issuedAtMs + validityMs, context.notAfterMs);
  return {
    issuedAtMs,
    notBefore: new Date(issuedAtMs - backdateMs),
    // Certificates tell whole seconds.
    notAfter: new Date(Math.floor(endsMs / secondMs) * secondMs),
  };
}

/** The request's Ed25519 key, after its self-signature was checked (RFC 2986 section 4.2). */
async function verifiedRequestKey(request: Uint8Array): Promise<Uint8Array> {
  const parsed = parseRequest(request);
  const spki = Buffer.from(parsed.publicKey.rawData);
  const expectedLength = ed25519SpkiPrefix.length + 32;
  if (
    spki.length !== expectedLength ||
    !spki.subarray(0, ed25519SpkiPrefix.length).equals(ed25519SpkiPrefix)
  ) {
    const algorithm = parsed.publicKey.algorithm.name;
    throw new ServerError('CERTIFICATE_REQUEST_ALGORITHM', { algorithm });
  }
  if (!hasExactEnvelope(Buffer.from(request))) {
    throw new ServerError('CERTIFICATE_REQUEST_MALFORMED', { reason: 'its DER is not canonical' });
  }
  const signed = await parsed.verify().catch(() => false);
  if (!signed) throw new ServerError('CERTIFICATE_REQUEST_SIGNATURE');
  return new Uint8Array(spki.subarray(ed25519SpkiPrefix.length));
}

function parseRequest(request: Uint8Array): x509.Pkcs10CertificateRequest {
  if (request.length === 0 || request.length > certificateRequestLimit) {
    const reason = `it has ${request.length} bytes, expected 1 to ${certificateRequestLimit}`;
    throw new ServerError('CERTIFICATE_REQUEST_MALFORMED', { reason });
  }
  try {
    // A copy: the parser keeps views of the whole underlying buffer.
    return new x509.Pkcs10CertificateRequest(Uint8Array.from(request));
  } catch (cause) {
    throw new ServerError(
      'CERTIFICATE_REQUEST_MALFORMED',
      { reason: 'not a PKCS#10 request in DER' },
      { cause },
    );
  }
}

/**
 * The parser is lenient about what surrounds the signed part; we are not: exact outer length, and
 * exactly one Ed25519 signature (RFC 8410) at the end.
 */
function hasExactEnvelope(request: Buffer): boolean {
  const lengthByte = request[1] ?? 0;
  const lengthBytes = lengthByte < 0x80 ? 0 : lengthByte - 0x80;
  if (lengthBytes > 2) return false;
  const length = lengthBytes === 0 ? lengthByte : request.readUIntBE(2, lengthBytes);
  if (2 + lengthBytes + length !== request.length) return false;
  return request.subarray(-ed25519SignatureEnd.length - 64, -64).equals(ed25519SignatureEnd);
}

/** Positive and at most 20 bytes (RFC 5280 section 4.1.2.2). */
function randomSerial(random: Pick<Random, 'bytes'>): string {
  const bytes = Uint8Array.from(random.bytes(serialBytes));
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return Buffer.from(bytes).toString('hex');
}

async function importPrivate(key: KeyObject): Promise<webcrypto.CryptoKey> {
  const der = key.export({ type: 'pkcs8', format: 'der' });
  return await webcrypto.subtle.importKey('pkcs8', der, ecdsa, false, ['sign']);
}

async function importPublic(key: KeyObject): Promise<webcrypto.CryptoKey> {
  const der = key.export({ type: 'spki', format: 'der' });
  return await webcrypto.subtle.importKey('spki', der, ecdsa, true, ['verify']);
}
