import t from 'tap';
import {
  HeaderBlockError,
  HeaderDecoder,
  headersTooLarge,
} from '../../../../actors/server/endpoint/http2/header-decoder.ts';
import { packHeaders } from '../../../../actors/server/endpoint/http2/header-encoder.ts';
import type { Header } from '../../../../actors/server/endpoint/http2/header-table.ts';
import { fc } from '../../../support/property.ts';

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const first: Header[] = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'www.example.com'],
];
const third: Header[] = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':path', '/index.html'],
  [':authority', 'www.example.com'],
  ['custom-key', 'custom-value'],
];

/** Throws whatever is no HeaderBlockError. */
function isRefused(decoder: HeaderDecoder, block: Uint8Array): boolean {
  try {
    decoder.decode(block);
    return false;
  } catch (error) {
    if (!(error instanceof HeaderBlockError)) throw error;
    return true;
  }
}

t.test('the examples of RFC 7541, appendix C, mean what it says', async (t) => {
  const plain = new HeaderDecoder();
  t.same(plain.decode(bytes('8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d')), first);
  t.same(plain.decode(bytes('8286 84be 5808 6e6f 2d63 6163 6865')), [
    ...first,
    ['cache-control', 'no-cache'],
  ]);
  const literal = '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65';
  t.same(plain.decode(bytes(literal)), third);
  const packed = new HeaderDecoder();
  t.same(packed.decode(bytes('8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff')), first);
  t.same(packed.decode(bytes('8286 84be 5886 a8eb 1064 9cbf')), [
    ...first,
    ['cache-control', 'no-cache'],
  ]);
  t.same(
    packed.decode(bytes('8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf')),
    third,
  );
});

t.test('what a peer may not send is refused, and never read beyond its end', async (t) => {
  const wrong: Record<string, string> = {
    'index 0': '80',
    'an index that nobody named': 'be',
    'a name that nobody named': '7f 00 01 61',
    'a number without an end': 'ff',
    'a number too large': 'ff ff ff ff ff 7f',
    'a text without an end': '00 05 61',
    'a text that is missing': '00 01 61',
    'padding that is no padding': '00 01 61 81 00',
    'padding of a whole byte': '00 01 61 82 1f ff',
    'the end mark in a text': '00 01 61 84 ff ff ff ff',
    'a table larger than allowed': '3f e2 1f',
    'a table size after a header': '82 20',
  };
  for (const [name, hex] of Object.entries(wrong)) {
    t.ok(isRefused(new HeaderDecoder(), bytes(hex)), name);
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
      isRefused(new HeaderDecoder(), noise);
    }),
  );
});

t.test('a table that was given up holds nothing', async (t) => {
  const decoder = new HeaderDecoder();
  decoder.decode(bytes('400a 6375 7374 6f6d 2d6b 6579 0161'));
  t.same(decoder.decode(bytes('be')), [['custom-key', 'a']]);
  decoder.decode(bytes('20'));
  t.ok(isRefused(decoder, bytes('be')));
  decoder.decode(bytes('82'));
  t.ok(decoder.wasStateless, 'a block of static entries is the same everywhere');
});

t.test('headers that swell when unpacked are refused, and the connection goes on', async (t) => {
  const decoder = new HeaderDecoder();
  const value = 'v'.repeat(3000);
  const large = packHeaders([['n', value]]);
  large[0] = 0x40;
  const bomb = Buffer.concat([large, Buffer.alloc(5000, 0xbe)]);
  t.equal(decoder.decode(bomb), headersTooLarge);
  t.same(decoder.decode(bytes('be')), [['n', value]], 'both tables are still in step');
});

t.test('what we pack, any reader unpacks', async () => {
  const text = fc.string({ unit: fc.constantFrom(...'az09-/+=~ %'), maxLength: 300 });
  const header = fc.tuple(fc.constantFrom(':status', 'content-type', 'grpc-status', 'x'), text);
  fc.assert(
    fc.property(fc.array(header, { maxLength: 5 }), (headers) => {
      const read = new HeaderDecoder().decode(packHeaders(headers));
      return JSON.stringify(read) === JSON.stringify(headers);
    }),
  );
});
