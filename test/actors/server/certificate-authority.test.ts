import { generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto';
import t from 'tap';
import { envoyIdFromCertificate, uuidFromBytes } from '../../../actors/enrollment/identity.ts';
import { ServerError } from '../../../actors/errors.ts';
import {
  type CertificateAuthority,
  createAuthorityCertificate,
  dayMs,
  openCertificateAuthority,
} from '../../../actors/server/certificate-authority.ts';
import { fc } from '../../support/property.ts';
import { startMs, testEnvironment } from '../support/environment.ts';
import { certificateRequest } from '../support/request.ts';

async function makeAuthority(): Promise<CertificateAuthority> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const keyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const certificatePem = await createAuthorityCertificate(keyPem, testEnvironment());
  return await openCertificateAuthority({ certificatePem, keyPem }, testEnvironment());
}

const envoyId = uuidFromBytes(randomBytes(16));
const grant = { envoyId, validityMs: 90 * dayMs };

t.test('a signed request becomes a client certificate that names only what we say', async (t) => {
  const authority = await makeAuthority();
  const issued = await authority.signEnvoyRequest(await certificateRequest(), grant);
  const certificate = new X509Certificate(issued.der);
  t.ok(certificate.verify(new X509Certificate(authority.certificatePem).publicKey));
  t.equal(certificate.subject, `CN=${envoyId}`);
  t.equal(envoyIdFromCertificate(issued.der), envoyId);
  t.same(certificate.keyUsage, ['1.3.6.1.5.5.7.3.2'], 'client authentication only');
  t.equal(certificate.ca, false);
  t.equal(Date.parse(certificate.validTo), startMs + 90 * dayMs);
  t.equal(certificate.serialNumber.toLowerCase(), issued.serial);
  t.equal(issued.publicKey.length, 32);
});

t.test('no certificate outlives its CA', async (t) => {
  const authority = await makeAuthority();
  const long = { envoyId, validityMs: 100 * 365 * dayMs };
  const issued = await authority.issueEnvoy(randomBytes(32), long);
  t.equal(
    new X509Certificate(issued.der).validTo,
    new X509Certificate(authority.certificateDer).validTo,
  );
});

t.test('another key type is refused with its name', async (t) => {
  const authority = await makeAuthority();
  const request = await certificateRequest({ name: 'ECDSA', namedCurve: 'P-256' });
  await t.rejects(authority.signEnvoyRequest(request, grant), {
    code: 'CERTIFICATE_REQUEST_ALGORITHM',
  });
});

t.test('any damaged request gets a coded answer, never a certificate', async () => {
  const authority = await makeAuthority();
  const request = await certificateRequest();
  const mutation = fc.record({
    at: fc.nat({ max: request.length - 1 }),
    xor: fc.integer({ min: 1, max: 255 }),
    length: fc.oneof(fc.constant(request.length), fc.nat({ max: request.length - 1 })),
  });
  await fc.assert(
    fc.asyncProperty(mutation, async ({ at, xor, length }) => {
      const damaged = Uint8Array.from(request.subarray(0, length));
      if (at < length) damaged[at] = (damaged[at] ?? 0) ^ xor;
      try {
        await authority.signEnvoyRequest(damaged, grant);
        return false;
      } catch (error) {
        return error instanceof ServerError && error.code.startsWith('CERTIFICATE_REQUEST_');
      }
    }),
    { numRuns: 300 },
  );
});

t.test('oversized and empty requests are refused before they are parsed', async (t) => {
  const authority = await makeAuthority();
  for (const size of [0, 5000]) {
    await t.rejects(authority.signEnvoyRequest(new Uint8Array(size), grant), {
      code: 'CERTIFICATE_REQUEST_MALFORMED',
    });
  }
});

t.test('a certificate that names no envoy has no identity', async (t) => {
  const authority = await makeAuthority();
  t.throws(() => envoyIdFromCertificate(authority.certificateDer), {
    code: 'CERTIFICATE_IDENTITY_MISSING',
  });
  t.throws(() => envoyIdFromCertificate(new Uint8Array([1, 2])), {
    code: 'CERTIFICATE_IDENTITY_MISSING',
  });
});

t.test('a CA key and certificate that do not match are refused', async (t) => {
  const authority = await makeAuthority();
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const keyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const files = { certificatePem: authority.certificatePem, keyPem };
  await t.rejects(openCertificateAuthority(files, testEnvironment()), /not of the CA key/);
});
