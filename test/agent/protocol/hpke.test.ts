import { generateKeyPairSync, randomBytes } from 'node:crypto';
import t from 'tap';
import { agreementPublicKey, serverHpke } from '../../../actors/server/crypto/hpke-primitives.ts';
import { generateKeyPem, pemSigner } from '../../../agent/platform/crypto.ts';
import { agreementKey, nodeHpke } from '../../../agent/platform/hpke-primitives.ts';
import { hpkeOpen, hpkeSeal } from '../../../agent/protocol/hpke.ts';
import { secretBinding } from '../../../agent/protocol/secret.ts';
import { fc } from '../../support/property.ts';

const hex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'));

/** RFC 9180, A.2.1 and A.2.1.1, sequence number 0. */
const vector = {
  skE: 'f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600',
  enc: '1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a',
  skR: '8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb',
  pkR: '4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a',
  info: '4f6465206f6e2061204772656369616e2055726e',
  aad: '436f756e742d30',
  text: '4265617574792069732074727574682c20747275746820626561757479',
  sealed:
    '1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db' +
    '21993c62ce81883d2dd1b51a28',
};
const binding = { info: hex(vector.info), aad: hex(vector.aad) };

for (const [side, primitives] of Object.entries({ agent: nodeHpke, server: serverHpke })) {
  t.test(`the ${side} seals and opens as RFC 9180 says, byte by byte`, async (t) => {
    const sealed = hpkeSeal(
      primitives,
      hex(vector.pkR),
      hex(vector.skE),
      binding,
      hex(vector.text),
    );
    t.equal(Buffer.from(sealed).toString('hex'), vector.enc + vector.sealed);
    const opened = hpkeOpen(primitives, hex(vector.skR), binding, sealed);
    t.equal(Buffer.from(opened).toString('hex'), vector.text);
  });
}

t.test('what the server seals to an identity key, only that node opens', async (t) => {
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), fc.nat(), (value, epoch) => {
      const [own, other] = [generateKeyPem(), generateKeyPem()];
      const envoyId = new Uint8Array(randomBytes(16));
      const recipient = agreementPublicKey(pemSigner(own).publicKey);
      const bound = secretBinding(envoyId, 'db/password', epoch);
      const text = new TextEncoder().encode(value);
      const sealed = hpkeSeal(serverHpke, recipient, randomBytes(32), bound, text);
      const opened = hpkeOpen(nodeHpke, agreementKey(own), bound, sealed);
      t.equal(new TextDecoder().decode(opened), value);
      const refused = { code: 'PROTOCOL_SEAL_BROKEN' };
      t.throws(() => hpkeOpen(nodeHpke, agreementKey(other), bound, sealed), refused);
      for (const wrong of [
        secretBinding(envoyId, 'db/other', epoch),
        secretBinding(envoyId, 'db/password', epoch + 1),
        secretBinding(new Uint8Array(16), 'db/password', epoch),
      ])
        t.throws(() => hpkeOpen(nodeHpke, agreementKey(own), wrong, sealed), refused);
    }),
    { numRuns: 20 },
  );
});

t.test('a sealed value that was changed anywhere does not open', async (t) => {
  const key = generateKeyPem();
  const recipient = agreementPublicKey(pemSigner(key).publicKey);
  const sealed = hpkeSeal(serverHpke, recipient, randomBytes(32), binding, randomBytes(40));
  fc.assert(
    fc.property(fc.nat(sealed.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const changed = Uint8Array.from(sealed);
      changed[at] = changed[at]! ^ flip;
      // X25519 ignores the highest bit of a public key, and the key is bound to it all the same.
      t.throws(() => hpkeOpen(nodeHpke, agreementKey(key), binding, changed));
      t.throws(() => hpkeOpen(nodeHpke, agreementKey(key), binding, sealed.subarray(0, at)));
    }),
    { numRuns: 60 },
  );
});

t.test('a key of small order is refused', async (t) => {
  t.throws(() => agreementPublicKey(new Uint8Array(32)), { code: 'SECRETS_KEY_UNUSABLE' });
  t.throws(() => agreementPublicKey(hex(`01${'00'.repeat(31)}`)), { code: 'SECRETS_KEY_UNUSABLE' });
  const { publicKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  t.equal(agreementPublicKey(raw).length, 32);
});
