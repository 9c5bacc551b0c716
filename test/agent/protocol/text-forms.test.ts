import { createHash } from 'node:crypto';
import t from 'tap';
import { nodeVerifier } from '../../../agent/platform/crypto.ts';
import { fromHex, toHex } from '../../../agent/protocol/bytes.ts';
import { canonicalJson } from '../../../agent/protocol/canonical-json.ts';
import { merkleRoot } from '../../../agent/protocol/merkle.ts';
import {
  childTrace,
  formatTraceparent,
  makeTrace,
  parseTraceparent,
} from '../../../agent/protocol/traceparent.ts';
import { makeUuid, uuidToBytes, uuidToText } from '../../../agent/protocol/uuid.ts';
import { fc } from '../../support/property.ts';

t.test('canonical JSON has one form per value, whatever the order of its keys', async (t) => {
  t.equal(
    canonicalJson({ b: [1, 'é', null], a: { d: 0.1, c: undefined } }),
    '{"a":{"d":0.1},"b":[1,"é",null]}',
  );
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value);
      return canonicalJson(JSON.parse(text)) === text;
    }),
  );
  t.throws(() => canonicalJson(Number.NaN), { code: 'PROTOCOL_NOT_JSON' });
  t.throws(() => canonicalJson(() => 1), { code: 'PROTOCOL_NOT_JSON' });
});

t.test('UUIDs and hexadecimal text survive the round trip', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
      const text = uuidToText(makeUuid(bytes));
      return text[14] === '4' && toHex(uuidToBytes(text)!) === toHex(bytes);
    }),
  );
  t.equal(uuidToBytes('not a uuid'), undefined);
  t.equal(fromHex('0g'), undefined);
  t.equal(fromHex('abc'), undefined);
});

t.test('trace contexts follow the W3C rules', async (t) => {
  const text = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  const context = parseTraceparent(text)!;
  t.equal(formatTraceparent(context), text);
  const child = childTrace(context, (length) => new Uint8Array(length));
  t.equal(child.traceId, context.traceId);
  t.not(child.spanId, context.spanId);
  t.ok(parseTraceparent(formatTraceparent(makeTrace((length) => new Uint8Array(length)))));
  t.ok(parseTraceparent(`cc${text.slice(2)}-what-comes-later`));
  for (const bad of [
    '',
    `${text}-x`,
    `ff${text.slice(2)}`,
    text.toUpperCase(),
    '00-00000000000000000000000000000000-00f067aa0ba902b7-01',
    '00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01',
    `01${text.slice(2)}-${'x'.repeat(300)}`,
  ])
    t.equal(parseTraceparent(bad), undefined, bad);
});

t.test('the Merkle tree is that of RFC 6962', async (t) => {
  const crypto = nodeVerifier();
  const hash = (...parts: Uint8Array[]): Uint8Array =>
    createHash('sha256').update(Buffer.concat(parts)).digest();
  const leaf = (text: string): Uint8Array => hash(Buffer.from([0]), Buffer.from(text));
  const node = (left: Uint8Array, right: Uint8Array): Uint8Array =>
    hash(Buffer.from([1]), left, right);
  const root = (texts: string[]): string =>
    toHex(
      merkleRoot(
        texts.map((text) => Buffer.from(text)),
        crypto,
      ),
    );
  t.equal(root([]), toHex(hash()));
  t.equal(root(['a']), toHex(leaf('a')));
  t.equal(root(['a', 'b', 'c']), toHex(node(node(leaf('a'), leaf('b')), leaf('c'))));
  const four = node(node(leaf('a'), leaf('b')), node(leaf('c'), leaf('d')));
  t.equal(root(['a', 'b', 'c', 'd', 'e']), toHex(node(four, leaf('e'))));
});
