import { createPrivateKey, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { CertificateAuthority, ServerNames } from '../certificate-authority.ts';
import type { ServerConfig } from '../config/config.ts';
import type { HomeEnvironment } from './environment.ts';
import { publicFileMode, readOptional, replaceFile } from './files.ts';
import type { HomeLayout } from './layout.ts';

const dayMs = 86_400_000;
const serverValidityMs = 397 * dayMs;
const renewBeforeMs = 60 * dayMs;
/** Nobody can dial these. */
const wildcards = new Set(['', '0.0.0.0', '::']);

export interface ServerCertificate {
  /** Leaf, then CA. */
  readonly chainPem: string;
  readonly privateKeyPem: string;
  /** Why a new one was issued just now, for the log; undefined when the old one stayed. */
  readonly renewedBecause: string | undefined;
}

/** Every name under which a node may dial this server. */
export function serverNames(
  config: ServerConfig['server'],
  environment: Pick<HomeEnvironment, 'hostname' | 'addresses'>,
): ServerNames {
  // What it listens on, too: an interface whose cable is out at the start is not listed.
  const listens = [config.grpcListen.host, config.apiListen.host];
  const names = ['localhost', environment.hostname, config.hostname, ...config.tlsSans];
  const all = [...names, ...listens, '127.0.0.1', '::1', ...environment.addresses];
  const usable = all.map((name) => name.toLowerCase()).filter((name) => !wildcards.has(name));
  const ip = usable.filter((name) => isIP(name) !== 0);
  const dns = usable.filter((name) => isIP(name) === 0);
  return { dns: [...new Set(dns)].sort(), ip: [...new Set(ip)].sort() };
}

/**
 * The certificate that the server shows, issued anew when a name is missing from it, when it
 * ends soon, or when it is not of this CA and key. Called at each start.
 */
export async function ensureServerCertificate(
  layout: HomeLayout,
  authority: CertificateAuthority,
  privateKeyPem: string,
  config: ServerConfig['server'],
  environment: HomeEnvironment,
): Promise<ServerCertificate> {
  const names = serverNames(config, environment);
  const key = createPrivateKey(privateKeyPem);
  const existing = await readOptional(layout.serverCertificate);
  const renewedBecause = renewalReason(existing, authority, privateKeyPem, names, environment);
  if (renewedBecause === undefined && existing !== undefined) {
    return { chainPem: existing + authority.certificatePem, privateKeyPem, renewedBecause };
  }
  const leafPem = await authority.issueServer(key, names, serverValidityMs);
  await replaceFile(layout.serverCertificate, leafPem, publicFileMode);
  return { chainPem: leafPem + authority.certificatePem, privateKeyPem, renewedBecause };
}

function renewalReason(
  pem: string | undefined,
  authority: CertificateAuthority,
  privateKeyPem: string,
  names: ServerNames,
  environment: HomeEnvironment,
): string | undefined {
  if (pem === undefined) return 'there was none';
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch {
    return 'the old one could not be read';
  }
  const issuer = new X509Certificate(authority.certificateDer);
  if (!certificate.verify(issuer.publicKey)) return 'the old one is of another CA';
  if (!certificate.checkPrivateKey(createPrivateKey(privateKeyPem))) {
    return 'the old one is of another key';
  }
  const endsMs = Date.parse(certificate.validTo);
  if (endsMs - environment.clock.nowMs() < renewBeforeMs) return 'the old one ends soon';
  const missing = missingNames(certificate, names);
  return missing.length > 0 ? `these names were missing: ${missing.join(', ')}` : undefined;
}

function missingNames(certificate: X509Certificate, names: ServerNames): string[] {
  const listed = new Set((certificate.subjectAltName ?? '').split(', '));
  const dns = names.dns.filter((name) => !listed.has(`DNS:${name}`));
  const ip = names.ip.filter((name) => certificate.checkIP(name) === undefined);
  return [...dns, ...ip];
}
