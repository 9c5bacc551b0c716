import t from 'tap';
import { sealedLimit } from '../../../../actors/server/endpoint/tls/record-keys.ts';
import { RecordReader } from '../../../../actors/server/endpoint/tls/record-reader.ts';
import { fc } from '../../../support/property.ts';

function recordOf(payload: Uint8Array): Buffer {
  const head = Buffer.from([23, 3, 3, payload.length >> 8, payload.length & 0xff]);
  return Buffer.concat([head, payload]);
}

const payloads = fc.array(fc.uint8Array({ maxLength: 60 }), { minLength: 1, maxLength: 12 });
const cuts = fc.array(fc.integer({ min: 1, max: 70 }), { minLength: 1, maxLength: 8 });

t.test('records are whole and in order, however the network cuts them', async () => {
  fc.assert(
    fc.property(payloads, cuts, (parts, sizes) => {
      const all = Buffer.concat(parts.map(recordOf));
      const reader = new RecordReader();
      const seen: Buffer[] = [];
      for (let at = 0, turn = 0; at < all.length; turn += 1) {
        const to = Math.min(all.length, at + (sizes[turn % sizes.length] ?? 1));
        const chunk = Buffer.from(all.subarray(at, to));
        const used = reader.read(chunk, (record) => seen.push(Buffer.from(record)) > 0);
        // The reader may not hold on to bytes that are not its own.
        chunk.fill(0xee);
        if (used !== to - at) return false;
        at = to;
      }
      return !reader.isHalfway && Buffer.concat(seen).equals(all) && seen.length === parts.length;
    }),
  );
});

t.test('what follows the record at which reading stops stays unread', async (t) => {
  const first = recordOf(Buffer.from('first'));
  const second = recordOf(Buffer.from('second'));
  const all = Buffer.concat([first, second]);
  const whole = new RecordReader();
  t.equal(
    whole.read(all, () => false),
    first.length,
  );
  const halfway = new RecordReader();
  halfway.read(first.subarray(0, 3), () => false);
  t.ok(halfway.isHalfway);
  t.equal(
    halfway.read(all.subarray(3), () => false),
    first.length - 3,
  );
  t.notOk(halfway.isHalfway);
});

t.test('a record that announces more than it may is refused before it comes', async (t) => {
  const size = sealedLimit + 1;
  const head = Buffer.from([23, 3, 3, size >> 8, size & 0xff]);
  t.throws(() => new RecordReader().read(head, () => true), { message: 'a record too large' });
  const reader = new RecordReader();
  reader.read(head.subarray(0, 4), () => true);
  t.throws(() => reader.read(head.subarray(4), () => true), { message: 'a record too large' });
});
