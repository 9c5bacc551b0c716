import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import t from 'tap';
import { AgentError } from '../../../agent/errors.ts';
import { decodeBundle } from '../../../agent/protocol/bundle-document.ts';
import { decodeMessage, encodeMessage, type MessageType } from '../../../agent/protocol/codec.ts';
import { decodeErrorDetail, encodeErrorDetail } from '../../../agent/protocol/error-detail.ts';
import { ReportRequest } from '../../../agent/protocol/gen/vigo/v1/agent.ts';
import { SignedBundle } from '../../../agent/protocol/gen/vigo/v1/bundle.ts';
import { ErrorDetail, SignedRequest } from '../../../agent/protocol/gen/vigo/v1/envelope.ts';
import { methods, register } from '../../../agent/protocol/methods.ts';
import { fc } from '../../support/property.ts';

const types: Record<string, MessageType<unknown>> = {
  RegisterRequest: register.request as MessageType<unknown>,
  RegisterResponse: register.response as MessageType<unknown>,
  SignedRequest: SignedRequest as MessageType<unknown>,
  SignedBundle: SignedBundle as MessageType<unknown>,
};
for (const [name, method] of Object.entries(methods)) {
  types[`${name} body`] = method.body as MessageType<unknown>;
  types[`${name} response`] = method.response as MessageType<unknown>;
}

const limit = 4096;

function onlyCoded(run: () => unknown): boolean {
  try {
    run();
    return true;
  } catch (error) {
    if (error instanceof AgentError) return true;
    throw error;
  }
}

t.test('whatever a peer sends, a decoder answers with a message or a coded refusal', async (t) => {
  const report = ReportRequest.encode(
    ReportRequest.decode(new Uint8Array(0)) && {
      ...ReportRequest.decode(new Uint8Array(0)),
      runId: new Uint8Array(16).fill(1),
      incidents: [{ code: 'X', message: 'y', atMs: 5 }],
      summary: {
        total: 1,
        unchanged: 0,
        created: 1,
        updated: 0,
        deleted: 0,
        skipped: 0,
        blocked: 0,
        failed: 0,
      },
    },
  ).finish();
  const mutated = fc
    .tuple(fc.nat(report.length), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }))
    .map(([cut, changes]) => {
      const bytes = report.slice(0, cut);
      for (const [at, value] of changes) if (cut > 0) bytes[at % cut] = value;
      return bytes;
    });
  const input = fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated);
  for (const [name, type] of Object.entries(types)) {
    fc.assert(
      fc.property(input, (bytes) => onlyCoded(() => decodeMessage(type, bytes, limit))),
      { numRuns: 300 },
    );
    t.throws(
      () => decodeMessage(type, new Uint8Array(limit + 1), limit),
      {
        code: 'PROTOCOL_TOO_LARGE',
      },
      name,
    );
  }
  t.throws(() => decodeMessage(SignedRequest, new Uint8Array([0x0a, 0xff]), limit), {
    code: 'PROTOCOL_MALFORMED',
  });
  fc.assert(fc.property(fc.uint8Array(), (bytes) => onlyCoded(() => decodeBundle(bytes))));
  fc.assert(
    fc.property(fc.json(), (text) => onlyCoded(() => decodeBundle(new TextEncoder().encode(text)))),
  );
});

t.test('nesting without end is refused, not followed', async (t) => {
  const deep = new TextEncoder().encode('['.repeat(200_000));
  t.throws(() => decodeBundle(deep), { code: 'PROTOCOL_BUNDLE_MALFORMED' });
  const closed = new TextEncoder().encode(`${'['.repeat(5000)}${']'.repeat(5000)}`);
  t.throws(() => decodeBundle(closed), { code: 'PROTOCOL_BUNDLE_MALFORMED' });
});

t.test('fields of a later version survive passing through', async (t) => {
  const later = new BinaryWriter()
    .tag(1, WireType.Varint)
    .uint32(1)
    .tag(900, WireType.LengthDelimited)
    .bytes(new Uint8Array([5, 6, 7]))
    .tag(901, WireType.Varint)
    .uint32(77)
    .finish();
  for (const [name, type] of Object.entries(types)) {
    if (name === 'SignedBundle' || name.endsWith('body') || name.endsWith('response')) continue;
    t.same(encodeMessage(type, decodeMessage(type, later, limit), limit), later, name);
  }
});

t.test('a refusal reaches the peer with code, remedy and time to come back', async (t) => {
  const bytes = encodeErrorDetail({
    code: 'REQUEST_BUSY',
    message: 'm'.repeat(5000),
    remedy: 'Wait.',
    retryAfterMs: 500,
  });
  const detail = decodeErrorDetail(bytes);
  t.match(detail, { code: 'REQUEST_BUSY', remedy: 'Wait.', retryAfterMs: 500, protocolVersion: 1 });
  t.equal(decodeErrorDetail(new Uint8Array([1])), undefined);
  t.equal(decodeErrorDetail(new Uint8Array(9000)), undefined);
  t.equal(
    decodeErrorDetail(ErrorDetail.encode(ErrorDetail.decode(new Uint8Array(0))).finish()),
    undefined,
  );
});
