import 'reflect-metadata';
import { execFileSync, spawnSync } from 'node:child_process';
import { Pkcs10CertificateRequest } from '@peculiar/x509';
import t from 'tap';
import { certificateRequest } from '../../../agent/identity/certificate-request.ts';
import { derObjectIdentifier, derSequence, derUtf8 } from '../../../agent/identity/der.ts';
import { nodeSigner } from '../../../agent/platform/crypto.ts';
import { toHex } from '../../../agent/protocol/bytes.ts';
import { requires } from '../../support/requires.ts';

const signer = nodeSigner(new Uint8Array(32).fill(5));

t.test('another implementation verifies the request and reads name and key', async (t) => {
  for (const name of ['web-1.example.org', 'x', 'é-host', 'n'.repeat(200)]) {
    const request = new Pkcs10CertificateRequest(certificateRequest(name, signer));
    t.ok(await request.verify(), name);
    t.equal(request.subjectName.getField('CN')[0], name.slice(0, 64));
    const key = new Uint8Array(request.publicKey.rawData).subarray(-32);
    t.equal(toHex(key), toHex(signer.publicKey));
  }
});

t.test('OpenSSL verifies the request', { skip: requires('command:openssl') }, async (t) => {
  const der = certificateRequest('web-1', signer);
  const shown = execFileSync(
    'openssl',
    ['req', '-inform', 'DER', '-verify', '-noout', '-subject', '-text'],
    { input: der, stdio: ['pipe', 'pipe', 'pipe'], encoding: 'utf8' },
  );
  t.match(shown, /CN\s*=\s*web-1/);
  t.match(shown, /ED25519/);
  der[der.length - 1]! ^= 1;
  const forged = spawnSync('openssl', ['req', '-inform', 'DER', '-verify', '-noout'], {
    input: der,
    encoding: 'utf8',
  });
  t.match(forged.stderr, /failure|unable/i);
});

t.test('DER lengths and arcs take their long forms', async (t) => {
  t.equal(toHex(derObjectIdentifier('1.2.840.113549')), '06062a864886f70d');
  t.equal(toHex(derUtf8('a'.repeat(200)).subarray(0, 3)), '0c81c8');
  t.equal(toHex(derSequence(new Uint8Array(300)).subarray(0, 4)), '3082012c');
});
