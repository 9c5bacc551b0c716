import t from 'tap';
import { identityCodec } from '../../../actors/policy/identity-codec.ts';
import { fc } from '../../support/property.ts';

t.test('an identity is read back as it was written, and damage serves nobody', async (t) => {
  const row = fc.record({
    hostname: fc.string({ unit: 'grapheme', maxLength: 300 }),
    publicKey: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    revoked: fc.boolean(),
    settledReportSequence: fc.nat(),
  });
  fc.assert(
    fc.property(row, (identity) => {
      const bytes = Uint8Array.from(identityCodec.encode(identity));
      const again = identityCodec.decode(bytes);
      t.match(
        { ...again, publicKey: [...again.publicKey] },
        {
          ...identity,
          publicKey: [...identity.publicKey],
        },
      );
      bytes.fill(0);
    }),
  );
  t.match(identityCodec.decode(new Uint8Array(7)), { revoked: true });
  t.match(identityCodec.decode(new Uint8Array(90)), { revoked: true }, 'of another release');
});
