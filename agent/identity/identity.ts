import { AgentError } from '../errors.ts';
import type { StateFiles } from '../offline/state-files.ts';
import { fromHex, toHex } from '../protocol/bytes.ts';
import { publicKeyLength, type Signer } from '../protocol/crypto.ts';
import type { HpkePrimitives } from '../protocol/hpke.ts';
import { uuidToBytes, uuidToText } from '../protocol/uuid.ts';

/** What makes this machine an envoy. Texts ending in Pem are PEM. */
export interface Identity {
  /** 16 bytes. */
  readonly envoyId: Uint8Array;
  /** "host:port" of the server that issued it. */
  readonly server: string;
  /** Ed25519 key that signs policy bundles, 32 bytes. */
  readonly bundlePublicKey: Uint8Array;
  /** Ed25519 keys that sign releases of the agent, 32 bytes each; none: the bundle key does. */
  readonly releasePublicKeys: readonly Uint8Array[];
  /** Until a check-in's answer says otherwise. */
  readonly intervalMs: number;
  readonly registeredAtMs: number;
  readonly keyPem: string;
  /** The envoy's certificate and its issuer. */
  readonly certificatePem: string;
  /** The only authority that a server's certificate may come from. */
  readonly authorityPem: string;
}

/** Keys and certificates as the platform makes them. */
export interface IdentityCrypto {
  /** A new Ed25519 key, PKCS#8 PEM. */
  generateKeyPem(): string;
  /** Throws when the text is no Ed25519 key. */
  signer(keyPem: string): Signer;
  /** The X25519 private key that belongs to an identity key, 32 bytes: what secrets are sealed to. */
  agreementKey(keyPem: string): Uint8Array;
  readonly hpke: HpkePrimitives;
  /**
   * Checks an issued chain (DER, leaf first, issuing authority last): the leaf holds `publicKey` and
   * is issued by the authority. Throws AGENT_IDENTITY_BROKEN.
   */
  issuedChain(
    chain: readonly Uint8Array[],
    publicKey: Uint8Array,
  ): { certificatePem: string; authorityPem: string; authoritySha256: string };
  /** Lower-case hexadecimal SHA-256 of the certificate's DER form. */
  fingerprint(certificatePem: string): string;
}

const keyFile = 'key.pem';
const certificateFile = 'certificate.pem';
const authorityFile = 'authority.pem';
/** Written last: it makes the others count. */
const envoyFile = 'envoy.json';
const othersMayRead = 0o077;

export async function saveIdentity(files: StateFiles, identity: Identity): Promise<void> {
  const text = (content: string): Uint8Array => new TextEncoder().encode(content);
  await files.remove(envoyFile);
  await files.replace(keyFile, text(identity.keyPem));
  await files.replace(certificateFile, text(identity.certificatePem));
  await files.replace(authorityFile, text(identity.authorityPem));
  const envoy = {
    envoyId: uuidToText(identity.envoyId),
    server: identity.server,
    bundlePublicKey: toHex(identity.bundlePublicKey),
    releasePublicKeys: identity.releasePublicKeys.map(toHex),
    intervalMs: identity.intervalMs,
    registeredAtMs: identity.registeredAtMs,
  };
  await files.replace(envoyFile, text(`${JSON.stringify(envoy, undefined, 2)}\n`));
}

export async function isRegistered(files: StateFiles): Promise<boolean> {
  return (await files.read(envoyFile)) !== undefined;
}

/** Throws AGENT_NOT_REGISTERED, AGENT_IDENTITY_BROKEN or AGENT_IDENTITY_EXPOSED. */
export async function loadIdentity(files: StateFiles): Promise<Identity> {
  const stored = await files.read(envoyFile);
  if (stored === undefined) throw new AgentError('AGENT_NOT_REGISTERED', files.directory);
  const mode = await files.mode(keyFile);
  if (mode !== undefined && (mode & othersMayRead) !== 0)
    throw new AgentError('AGENT_IDENTITY_EXPOSED', `${files.directory}/${keyFile}`);
  const [keyPem, certificatePem, authorityPem] = await Promise.all(
    [keyFile, certificateFile, authorityFile].map((name) => readText(files, name)),
  );
  return {
    ...parseEnvoy(stored, `${files.directory}/${envoyFile}`),
    keyPem: keyPem!,
    certificatePem: certificatePem!,
    authorityPem: authorityPem!,
  };
}

async function readText(files: StateFiles, name: string): Promise<string> {
  const content = await files.read(name);
  if (content === undefined || content.length === 0)
    throw new AgentError('AGENT_IDENTITY_BROKEN', `${files.directory}/${name} is missing`);
  return new TextDecoder().decode(content);
}

/** Nodes that were registered before there were release keys have none. */
function parseKeys(value: unknown): Uint8Array[] | undefined {
  if (value === undefined) return [];
  if (!Array.isArray(value)) return undefined;
  const keys = value.map((text) => fromHex(String(text)));
  return keys.every((key) => key?.length === publicKeyLength) ? (keys as Uint8Array[]) : undefined;
}

function parseEnvoy(stored: Uint8Array, path: string) {
  try {
    const envoy = JSON.parse(new TextDecoder().decode(stored)) as Record<string, unknown>;
    const envoyId = uuidToBytes(String(envoy.envoyId));
    const bundlePublicKey = fromHex(String(envoy.bundlePublicKey));
    const releasePublicKeys = parseKeys(envoy.releasePublicKeys);
    if (
      envoyId !== undefined &&
      bundlePublicKey?.length === publicKeyLength &&
      releasePublicKeys !== undefined &&
      typeof envoy.server === 'string' &&
      typeof envoy.intervalMs === 'number' &&
      typeof envoy.registeredAtMs === 'number'
    )
      return {
        envoyId,
        bundlePublicKey,
        releasePublicKeys,
        server: envoy.server,
        intervalMs: envoy.intervalMs,
        registeredAtMs: envoy.registeredAtMs,
      };
  } catch (cause) {
    throw new AgentError('AGENT_IDENTITY_BROKEN', path, { cause });
  }
  throw new AgentError('AGENT_IDENTITY_BROKEN', path);
}
