import { randomBytes } from 'node:crypto';
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import t, { type Test } from 'tap';
import { createEndpoint } from '../../../actors/server/endpoint/endpoint.ts';
import { decodeErrorDetail, errorDetailTrailer } from '../../../agent/protocol/error-detail.ts';
import {
  CheckInRequest,
  CheckInResponse,
  ResourceResult,
} from '../../../agent/protocol/gen/vigo/v1/agent.ts';
import { SignedRequest } from '../../../agent/protocol/gen/vigo/v1/envelope.ts';
import { methods, type SignedMethodName } from '../../../agent/protocol/methods.ts';
import { nodePorts } from '../../../runtime/ports/node-ports.ts';
import { testAuthority, testIdentity } from '../../support/test-authority.ts';
import { emptyOf, TestEnvoy } from '../../support/test-envoy.ts';

const ours = await testAuthority();
const authority = ours.authority.certificatePem;
const identity = await testIdentity(ours);
const largeAnswer = randomBytes(6_000_000);
const callDeadlineMs = 20_000;

/** The library's client on our endpoint, whose actors answer at once, at length, or never. */
async function pairFor(t: Test) {
  const never = new Set<() => void>();
  const endpoint = createEndpoint(
    {
      ports: nodePorts(),
      ask: async (_, type) => {
        if (type === 'resolveSecrets') await new Promise<void>((resolve) => never.add(resolve));
        const small = CheckInResponse.encode({ ...emptyOf(CheckInResponse), storeId: 7 }).finish();
        return (type === 'reportTraits' ? largeAnswer : small) as never;
      },
      tell: () => undefined,
      claim: async () => undefined,
      release: () => undefined,
    },
    {
      thread: 'shard-0',
      identity: {
        certificate: ours.serverCertificate,
        key: ours.serverKey,
        authority,
        ticketKeys: randomBytes(48),
      },
      bundlePublicKey: new Uint8Array(32),
      releasePublicKeys: [],
      intervalMs: 15_000,
      reportLimit: 1_000_000,
      connectionLimit: 1000,
      handshakesPerSecond: 1000,
      onConnection: () => undefined,
      onRefusal: () => undefined,
    },
  );
  const port = await endpoint.listen('127.0.0.1', 0);
  const pem = (text: string) => Buffer.from(text);
  const client = new Client(
    `localhost:${port}`,
    credentials.createSsl(pem(authority), pem(identity.key), pem(identity.certificate)),
    { 'grpc.max_receive_message_length': 2 * largeAnswer.length },
  );
  t.teardown(async () => {
    client.close();
    await endpoint.drain(0);
    endpoint.close();
  });
  return {
    client,
    endpoint,
    release: () => {
      for (const resolve of never) resolve();
    },
  };
}

const asIs = (bytes: Buffer) => bytes;
const envoy = new TestEnvoy(identity.envoyId, 0, { authority, ...identity });

function request(name: SignedMethodName, body: Uint8Array): Buffer {
  return Buffer.from(SignedRequest.encode(envoy.request(name, body)).finish());
}

interface Called {
  readonly answer: Promise<Buffer>;
  cancel(): void;
}

function call(client: Client, path: string, message: Buffer): Called {
  let cancel = (): void => undefined;
  const answer = new Promise<Buffer>((resolve, reject) => {
    const deadline = Date.now() + callDeadlineMs;
    const under = client.makeUnaryRequest<Buffer, Buffer>(
      path,
      asIs,
      asIs,
      message,
      new Metadata(),
      { deadline },
      (error, reply) => (error === null ? resolve(reply ?? Buffer.alloc(0)) : reject(error)),
    );
    cancel = () => under.cancel();
  });
  return { answer, cancel: () => cancel() };
}

const checkIn = () => request('CheckIn', CheckInRequest.encode(emptyOf(CheckInRequest)).finish());
const traits = () =>
  request(
    'ReportTraits',
    methods.ReportTraits.body.encode({ traitsJson: Buffer.from('{}') }).finish(),
  );

t.test('the library gets small and large answers, one by one and together', async (t) => {
  const { client } = await pairFor(t);
  const path = methods.CheckIn.path;
  for (let round = 0; round < 20; round++) {
    const answer = await call(client, path, checkIn()).answer;
    if (CheckInResponse.decode(answer).storeId !== 7) t.fail('another answer');
  }
  const large = await call(client, methods.ReportTraits.path, traits()).answer;
  t.ok(large.equals(largeAnswer), 'beyond the windows of both sides');
  const many = await Promise.all([
    ...Array.from({ length: 100 }, () => call(client, path, checkIn()).answer),
    ...Array.from({ length: 3 }, () => call(client, methods.ReportTraits.path, traits()).answer),
  ]);
  t.equal(many.filter(({ length }) => length === largeAnswer.length).length, 3);
  const report = methods.Report.body.encode({
    ...emptyOf(methods.Report.body),
    results: [{ ...emptyOf(ResourceResult), diff: 'd'.repeat(900_000) }],
  });
  const big = request('Report', report.finish());
  t.ok(await call(client, methods.Report.path, big).answer, 'a request beyond our windows');
});

t.test('the library reads our refusals with their code and remedy', async (t) => {
  const { client } = await pairFor(t);
  const refused = async (path: string, message: Buffer): Promise<ServiceError> => {
    try {
      await call(client, path, message).answer;
    } catch (error) {
      return error as ServiceError;
    }
    throw new Error('it was not refused');
  };
  const cases: [path: string, message: Buffer, status: number, code: string][] = [
    [methods.CheckIn.path, Buffer.from('noise'), status.INVALID_ARGUMENT, 'REQUEST_MALFORMED'],
    [methods.CheckIn.path, Buffer.alloc(9000), status.RESOURCE_EXHAUSTED, 'REQUEST_TOO_LARGE'],
    [methods.Report.path, Buffer.alloc(3e6), status.RESOURCE_EXHAUSTED, 'REQUEST_TOO_LARGE'],
  ];
  for (const [path, message, wanted, code] of cases) {
    const error = await refused(path, message);
    t.equal(error.code, wanted);
    const [trailer] = error.metadata.get(errorDetailTrailer);
    const detail = Buffer.isBuffer(trailer) ? decodeErrorDetail(trailer) : undefined;
    t.equal(detail?.code, code);
    t.not(detail?.remedy, '');
  }
  const unknown = await refused('/vigo.v1.VigoAgent/Nothing', Buffer.alloc(0));
  t.equal(unknown.code, status.UNIMPLEMENTED);
  t.ok(await call(client, methods.CheckIn.path, checkIn()).answer, 'and goes on');
});

t.test('calls that the library gives up make room, and a drain lets the others end', async (t) => {
  const { client, endpoint, release } = await pairFor(t);
  await call(client, methods.CheckIn.path, checkIn()).answer;
  const secrets = () => request('ResolveSecrets', new Uint8Array(0));
  const given = [1, 2, 3].map(() => call(client, methods.ResolveSecrets.path, secrets()));
  const kept = call(client, methods.ResolveSecrets.path, secrets());
  await call(client, methods.CheckIn.path, checkIn()).answer;
  for (const { cancel } of given) cancel();
  const ends = await Promise.allSettled(given.map(({ answer }) => answer));
  t.ok(ends.every(({ status: how }) => how === 'rejected'));
  await call(client, methods.CheckIn.path, checkIn()).answer;
  const drained = endpoint.drain(callDeadlineMs);
  release();
  t.equal(
    CheckInResponse.decode(await kept.answer).storeId,
    7,
    'it was answered after the goodbye',
  );
  await drained;
  t.equal(endpoint.counters().connections, 0, 'and the library left');
});
