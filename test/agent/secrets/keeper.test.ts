import { randomBytes } from 'node:crypto';
import t from 'tap';
import { IncidentLog } from '../../../agent/incident-log.ts';
import { createLogger } from '../../../agent/log.ts';
import { agreementKey, nodeHpke } from '../../../agent/platform/hpke-primitives.ts';
import type { ResolveSecretsRequest } from '../../../agent/protocol/gen/vigo/v1/agent.ts';
import { hpkeSeal } from '../../../agent/protocol/hpke.ts';
import { secretBinding } from '../../../agent/protocol/secret.ts';
import { SecretKeeper } from '../../../agent/secrets/secret-keeper.ts';
import type { ServerClient } from '../../../agent/server-client.ts';
import { policyDocument } from '../support/agent-fixture.ts';
import { envoyKeyPem, fakeEnvoyId, signedPolicy } from '../support/fake-server-channel.ts';

const trace = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), flags: '01' } as never;

/** A server that seals from a map, a few values per answer. */
function setUp(values: Map<string, string>, perAnswer = 2) {
  const asked: string[][] = [];
  const state = { away: false, epoch: 5 };
  const call = async (_name: string, { references }: ResolveSecretsRequest) => {
    if (state.away) throw new Error('away');
    asked.push([...references]);
    const there = references.filter((path) => values.has(path));
    const recipient = nodeHpke.x25519PublicKey(agreementKey(envoyKeyPem));
    const secrets = there.slice(0, perAnswer).map((reference) => {
      const binding = secretBinding(fakeEnvoyId, reference, state.epoch);
      const text = new TextEncoder().encode(values.get(reference));
      const sealed = hpkeSeal(nodeHpke, recipient, randomBytes(32), binding, text);
      return { reference, sealedValue: Buffer.from(sealed) };
    });
    const missing = references.filter((path) => !values.has(path));
    return { protocolVersion: 1, secrets, secretsEpoch: state.epoch, traceparent: '', missing };
  };
  const log = createLogger({
    level: 'error',
    human: false,
    nowMs: () => 1,
    write: () => undefined,
  });
  const incidents = new IncidentLog(log, () => 1);
  const keeper = new SecretKeeper({
    client: { call } as unknown as Pick<ServerClient, 'call'>,
    envoyId: fakeEnvoyId,
    hpke: nodeHpke,
    agreementKey: () => agreementKey(envoyKeyPem),
    incidents,
  });
  const policyAt = (secretsEpoch: number) => {
    const document = policyDocument();
    const { manifest } = signedPolicy(1, document);
    return { document, manifest: { ...manifest!, secretsEpoch } };
  };
  return { keeper, asked, state, incidents, policyAt };
}

t.test('values are fetched once per epoch, as many answers as it takes', async (t) => {
  const values = new Map([...'abcde'].map((name) => [name, `value of ${name}`]));
  const { keeper, asked, policyAt } = setUp(values);
  const paths = [...'abcde', 'gone'];
  const first = await keeper.valuesFor(policyAt(5), paths, trace);
  t.same(
    [...'abcde'].map((path) => first.get(path)),
    [...values.values()],
  );
  t.equal(first.get('gone'), undefined);
  t.equal(asked.length, 3);
  const again = await keeper.valuesFor(policyAt(5), [...'abcde'], trace);
  t.equal(again, first, 'the same object, so that nothing is rendered anew');
  t.equal(asked.length, 3);
  values.set('a', 'another');
  const later = await keeper.valuesFor(policyAt(6), [...'abcde'], trace);
  t.equal(later.get('a'), 'another');
  t.notMatch(later.redactor.text('value of a'), 'value of a', 'the former one is not shown either');
});

t.test('without the server the known values stay in use, and that is an incident', async (t) => {
  const { keeper, state, incidents, policyAt, asked } = setUp(new Map([['a', 'known']]));
  t.equal((await keeper.valuesFor(policyAt(5), ['a'], undefined)).get('a'), undefined);
  t.same(asked, [], 'offline nobody is asked');
  await keeper.valuesFor(policyAt(5), ['a'], trace);
  state.away = true;
  t.equal((await keeper.valuesFor(policyAt(6), ['a'], trace)).get('a'), 'known');
  t.equal(incidents.waiting, 1);
  state.away = false;
  await keeper.valuesFor(policyAt(6), ['a'], trace);
  t.equal(asked.length, 2, 'asked again as soon as the server answers');
});

t.test('a value that was sealed for something else is not used', async (t) => {
  const { keeper, state, incidents, policyAt } = setUp(new Map([['a', 'x']]));
  const broken = { ...state };
  Object.defineProperty(state, 'epoch', {
    get: () => {
      broken.epoch += 1;
      return broken.epoch;
    },
  });
  t.equal((await keeper.valuesFor(policyAt(5), ['a'], trace)).get('a'), undefined);
  t.match(incidents.take()[0], { code: 'PROTOCOL_SEAL_BROKEN' });
});
