import { X509Certificate } from 'node:crypto';
import t, { type Test } from 'tap';
import { verifyChain } from '../../../actors/audit/chain.ts';
import { envoyIdFromCertificate } from '../../../actors/enrollment/identity.ts';
import { enrollmentAddress, registrationAddress } from '../../../actors/enrollment/messages.ts';
import { codeOf } from '../../../actors/errors.ts';
import { readAuditRows } from '../../../actors/sink/audit-rows.ts';
import { SinkQueries } from '../../../actors/sink/queries.ts';
import { certificateRequest } from '../support/request.ts';
import { type ServiceSystem, serviceSystem, tables } from '../support/service-system.ts';

const deadline = { deadlineMs: 10_000 };

type Registered = Awaited<ReturnType<typeof register>>;

async function createToken(service: ServiceSystem, match = ['web-*']) {
  const payload = { match, expiresInMs: 3_600_000, by: 'admin:test' };
  return await service.system.ask(enrollmentAddress(), 'createToken', payload, deadline);
}

interface Attempt {
  token: string;
  hostname?: string;
  request?: Uint8Array;
  peer?: string;
  envoyId?: string;
}

async function register(service: ServiceSystem, attempt: Attempt) {
  const payload = {
    token: attempt.token,
    hostname: attempt.hostname ?? 'web-1',
    certificateRequest: attempt.request ?? (await certificateRequest()),
    agentVersion: '0.1.0',
    peerAddress: attempt.peer ?? '192.0.2.1',
    ...(attempt.envoyId === undefined ? {} : { envoyId: attempt.envoyId }),
  };
  return await service.system.ask(
    registrationAddress(attempt.token),
    'register',
    payload,
    deadline,
  );
}

async function refusal(promise: Promise<unknown>): Promise<string> {
  return await promise.then(() => 'accepted', codeOf);
}

async function auditTypes(t: Test, { file }: ServiceSystem): Promise<string[]> {
  await verifyChain(readAuditRows(file));
  const types = [...readAuditRows(file)].map(({ event }) => {
    const { code } = event.details;
    return code === undefined ? event.type : `${event.type} ${code}`;
  });
  t.comment(types.join(', '));
  return types;
}

/** When the certificate ends that an envoy was given, and when the database says that it does. */
function ends(service: ServiceSystem, { envoyId, certificateChain }: Registered) {
  const queries = new SinkQueries(service.file);
  const [envoy] = queries.findEnvoys(envoyId);
  const { certificateSerial } = queries.envoys.detail(envoyId);
  queries.close();
  const { validTo, serialNumber } = new X509Certificate(certificateChain[0] ?? '');
  return {
    given: [Date.parse(validTo), serialNumber.toLowerCase()],
    told: [envoy?.certificateEndsMs, certificateSerial],
  };
}

t.test('a machine with a token becomes an envoy, durably, with a policy', async (t) => {
  const service = await serviceSystem(t);
  const { token } = await createToken(service);
  const { envoyId, certificateChain } = await register(service, { token });
  t.equal(envoyIdFromCertificate(certificateChain[0] ?? new Uint8Array()), envoyId);
  t.same(certificateChain[1], service.authority.certificateDer);
  t.same(service.assigned, ['web-1']);
  const [stored] = await service.writer.identities('', 10);
  t.match(stored, { envoyId, hostname: 'web-1', revoked: false });
  const queries = new SinkQueries(service.file);
  t.teardown(() => queries.close());
  t.match(queries.tokens()[0], { usedBy: envoyId });
  t.notOk(JSON.stringify(queries.tokens()).includes('$2'), 'no hash is shown');
  t.same(await auditTypes(t, service), ['token.created', 'enrollment.accepted']);
});

t.test('each wrong token is refused with its own code, and audited', async (t) => {
  const service = await serviceSystem(t);
  const { token, id } = await createToken(service);
  const other = await createToken(service);
  const wrongSecret = token.replace(/\.[^.]{32}\./, `.${'A'.repeat(32)}.`);
  const wrongServer = token.replace(/[^.]*$/, '0'.repeat(32));
  const unknown = token.replace(id, '0'.repeat(16));
  const cases: [string, Attempt][] = [
    ['ENROLLMENT_TOKEN_UNKNOWN', { token: 'nonsense', peer: '192.0.2.10' }],
    ['ENROLLMENT_TOKEN_UNKNOWN', { token: unknown, peer: '192.0.2.11' }],
    ['ENROLLMENT_TOKEN_UNKNOWN', { token: wrongSecret, peer: '192.0.2.12' }],
    ['ENROLLMENT_TOKEN_UNKNOWN', { token: wrongServer, peer: '192.0.2.13' }],
    ['ENROLLMENT_TOKEN_HOSTNAME', { token, hostname: 'db-1' }],
    ['ENROLLMENT_BAD_REQUEST', { token, hostname: 'a b' }],
    ['CERTIFICATE_REQUEST_MALFORMED', { token, request: new Uint8Array([1]) }],
  ];
  for (const [code, attempt] of cases) {
    t.equal(await refusal(register(service, attempt)), code);
  }
  t.equal(await refusal(register(service, { token })), 'accepted', 'the token was not spent');
  t.equal(await refusal(register(service, { token })), 'ENROLLMENT_TOKEN_USED');
  const revocation = { id: other.id, by: 'admin:test' };
  await service.system.ask(enrollmentAddress(), 'revokeToken', revocation, deadline);
  const late = { token: other.token };
  t.equal(await refusal(register(service, late)), 'ENROLLMENT_TOKEN_REVOKED');
  const expiring = await createToken(service);
  service.advance(3_600_001);
  const expired = { token: expiring.token };
  t.equal(await refusal(register(service, expired)), 'ENROLLMENT_TOKEN_EXPIRED');
  const refused = (await auditTypes(t, service)).filter((type) => type.startsWith('enrollment.r'));
  t.equal(refused.length, cases.length + 3);
});

t.test('of many machines that use one token at once, exactly one gets in', async (t) => {
  const service = await serviceSystem(t);
  const { token } = await createToken(service);
  const outcomes = await Promise.all(
    Array.from({ length: 12 }, () => refusal(register(service, { token }))),
  );
  t.equal(outcomes.filter((outcome) => outcome === 'accepted').length, 1);
  t.equal(outcomes.filter((outcome) => outcome === 'ENROLLMENT_TOKEN_USED').length, 11);
  t.equal((await service.writer.identities('', 100)).length, 1);
});

t.test('a machine that lost the answer asks again and is the same envoy', async (t) => {
  const service = await serviceSystem(t);
  const { token } = await createToken(service);
  const request = await certificateRequest();
  const first = await register(service, { token, request });
  const again = await register(service, { token, request });
  t.equal(again.envoyId, first.envoyId);
  const { given, told } = ends(service, again);
  t.same(told, given, 'the database tells of the certificate that it holds now');
  t.equal((await service.writer.identities('', 100)).length, 1);
});

t.test('a revoked envoy is told, and its token does not bring it back', async (t) => {
  const service = await serviceSystem(t);
  const { token } = await createToken(service);
  const request = await certificateRequest();
  const { envoyId } = await register(service, { token, request });
  const revocation = { envoyId, reason: 'stolen', by: 'admin:test' };
  await service.system.ask(enrollmentAddress(), 'revokeEnvoy', revocation, deadline);
  t.same(service.revoked, [envoyId]);
  t.match(service.store.get(tables.identities, envoyId), { revoked: true });
  t.match(await service.writer.identities('', 10), [{ revoked: true }]);
  t.equal(await refusal(register(service, { token, request })), 'ENROLLMENT_TOKEN_USED');
  const unknown = { ...revocation, envoyId: 'nobody' };
  await t.rejects(service.system.ask(enrollmentAddress(), 'revokeEnvoy', unknown, deadline), {
    code: 'ENROLLMENT_ENVOY_UNKNOWN',
  });
});

t.test('who guesses is slowed down; others are not', async (t) => {
  const service = await serviceSystem(t, 3);
  const { token } = await createToken(service);
  const guess = token.replace(/\.[^.]{32}\./, `.${'B'.repeat(32)}.`);
  for (let attempt = 0; attempt < 3; attempt++) {
    t.equal(await refusal(register(service, { token: guess })), 'ENROLLMENT_TOKEN_UNKNOWN');
  }
  t.equal(await refusal(register(service, { token: guess })), 'ENROLLMENT_RATE_LIMITED');
  t.equal(await refusal(register(service, { token, peer: '192.0.2.9' })), 'accepted');
});

t.test('an envoy with a new token stays the same one; a revoked one does not', async (t) => {
  const service = await serviceSystem(t);
  const first = await register(service, { token: (await createToken(service)).token });
  const { envoyId } = first;
  const { given, told } = ends(service, first);
  t.same(told, given, 'when its certificate ends is known');
  const before = (await service.writer.identities('', 10))[0];
  const { token } = await createToken(service);
  const again = await register(service, { token, envoyId, hostname: 'web-2' });
  t.equal(again.envoyId, envoyId);
  const renewed = ends(service, again);
  t.same(renewed.told, renewed.given);
  t.notSame(renewed.told, told, 'and that of the new one');
  const [after, ...others] = await service.writer.identities('', 10);
  t.same(others, [], 'no second envoy came of it');
  t.match(after, { envoyId, hostname: 'web-2', revoked: false });
  t.notSame(after?.publicKey, before?.publicKey);
  t.equal(await refusal(register(service, { token, envoyId })), 'ENROLLMENT_TOKEN_USED');
  const revocation = { envoyId, reason: 'lost', by: 'admin:test' };
  await service.system.ask(enrollmentAddress(), 'revokeEnvoy', revocation, deadline);
  const third = await createToken(service);
  t.not((await register(service, { token: third.token, envoyId })).envoyId, envoyId);
  const types = await auditTypes(t, service);
  t.ok(types.includes('enrollment.renewed'), 'it can be seen afterwards');
});
