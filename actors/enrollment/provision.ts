import { generateKeyPairSync } from 'node:crypto';
import type { AuditEvent } from '../audit/event.ts';
import { ServerError } from '../errors.ts';
import type { AuthorityPorts, CertificateAuthority } from '../server/certificate-authority.ts';
import type { SinkWriter } from '../sink/writer.ts';
import { certificateRecord } from './certificate-record.ts';
import { uuidFromBytes } from './identity.ts';
import { isHostname } from './rules.ts';

/** An identity that was made in advance, for an image or a simulated fleet. */
export interface ProvisionedEnvoy {
  readonly envoyId: string;
  readonly hostname: string;
  /** Ed25519, PKCS#8. Not kept by the server. */
  readonly keyPem: string;
  /** The leaf alone. */
  readonly certificatePem: string;
}

export interface ProvisionOptions {
  /** Host names are the prefix and a number from `first`, without padding. */
  readonly prefix: string;
  readonly first: number;
  readonly count: number;
  readonly certificateValidityMs: number;
}

export interface ProvisionDependencies {
  readonly authority: CertificateAuthority;
  readonly writer: SinkWriter;
  readonly ports: AuthorityPorts;
}

/** Most identities of one call. */
export const provisionLimit = 100_000;
/** Identities of one transaction. */
const chunkSize = 500;
/** Certificates that are signed at a time, on libuv's threads. */
const signingWidth = 4;
const agentVersion = 'provisioned';

/**
 * Makes identities and writes them to the database, a chunk at a time; each chunk is handed on
 * only when it is durable. For offline use: a running server does not see them.
 */
export async function* provisionEnvoys(
  dependencies: ProvisionDependencies,
  options: ProvisionOptions,
): AsyncGenerator<ProvisionedEnvoy[]> {
  const { count, first, prefix } = options;
  if (!Number.isInteger(count) || count < 1 || count > provisionLimit) {
    const reason = `the count must be a whole number from 1 to ${provisionLimit}`;
    throw new ServerError('ENROLLMENT_BAD_REQUEST', { reason });
  }
  if (!isHostname(`${prefix}${first}`)) {
    const reason = `"${prefix}" does not begin a host name`;
    throw new ServerError('ENROLLMENT_BAD_REQUEST', { reason });
  }
  for (let done = 0; done < count; done += chunkSize) {
    const size = Math.min(chunkSize, count - done);
    yield await provisionChunk(dependencies, { ...options, first: first + done, count: size });
  }
}

async function provisionChunk(
  { authority, writer, ports }: ProvisionDependencies,
  { prefix, first, count, certificateValidityMs: validityMs }: ProvisionOptions,
): Promise<ProvisionedEnvoy[]> {
  const made = new Array<Awaited<ReturnType<typeof makeEnvoy>>>(count);
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) {
      made[index] = await makeEnvoy(authority, ports, `${prefix}${first + index}`, validityMs);
    }
  };
  await Promise.all(Array.from({ length: signingWidth }, work));
  const records = made.map(({ record }) => record);
  const event: AuditEvent = {
    id: uuidFromBytes(ports.random.bytes(16)),
    atMs: ports.clock.nowMs(),
    type: 'enrollment.provisioned',
    actor: 'server',
    subject: `${prefix}${first}`,
    details: { count, last: `${prefix}${first + count - 1}` },
  };
  await writer.provision(records, [event]);
  return made.map(({ envoy }) => envoy);
}

async function makeEnvoy(
  authority: CertificateAuthority,
  ports: AuthorityPorts,
  hostname: string,
  validityMs: number,
) {
  const envoyId = uuidFromBytes(ports.random.bytes(16));
  const pair = generateKeyPairSync('ed25519');
  const spki = pair.publicKey.export({ type: 'spki', format: 'der' });
  const publicKey = new Uint8Array(spki.subarray(-32));
  const certificate = await authority.issueEnvoy(publicKey, { envoyId, validityMs });
  const identity = {
    envoyId,
    hostname,
    publicKey,
    revoked: false,
    enrolledAtMs: ports.clock.nowMs(),
    settledReportSequence: 0,
  };
  const keyPem = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const certificatePem = pemOf(certificate.der);
  return {
    envoy: { envoyId, hostname, keyPem, certificatePem },
    record: {
      record: 'envoy',
      identity,
      agentVersion,
      ...certificateRecord(certificate),
    } as const,
  };
}

function pemOf(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
