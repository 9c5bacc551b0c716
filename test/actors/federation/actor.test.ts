/** What is lost when this fails: somebody logs in as somebody else, or locks a person out for ever. */
import { createHash } from 'node:crypto';
import t from 'tap';
import type { AccountRecord } from '../../../actors/accounts/messages.ts';
import { codeOf } from '../../../actors/errors.ts';
import { federationKind, proofsPerAccount } from '../../../actors/federation/actor.ts';
import { type FederationMessages, federationAddress } from '../../../actors/federation/messages.ts';
import { sinkKind } from '../../../actors/sink/actor.ts';
import { SinkQueries } from '../../../actors/sink/queries.ts';
import { fingerprintOf } from '../../../admin/login/public-key.ts';
import { Simulation } from '../../../runtime/simulate/simulation.ts';
import { accountRecord } from '../../support/account-record.ts';
import { testSink } from '../support/sink.ts';

const askDeadlineMs = 60_000;
const by = 'admin:test';
const keyOf = (name: string | number) => createHash('sha256').update(`key ${name}`).digest('hex');

function account(id: string, deletedAtMs?: number): AccountRecord {
  return accountRecord({ id, name: `name-${id}`, createdBy: by, deletedAtMs });
}

async function started(t: { teardown(run: () => void): void }) {
  const { writer, file } = testSink(t);
  const sink = sinkKind({
    writer,
    outbox: () => undefined,
    trim: () => undefined,
    wake: () => undefined,
    log: () => undefined,
  });
  const simulation = new Simulation({
    seed: 1,
    shards: 0,
    serviceHosts: [{ name: 'service', kinds: ['sink', 'federation'] }],
    kinds: [sink, federationKind()],
  });
  await simulation.start();
  for (const id of ['a', 'b'])
    await writer.write([{ record: 'account', account: account(id) }], []);
  const queries = new SinkQueries(file);
  t.teardown(() => queries.close());
  /** The reply, or the code of the refusal. */
  const ask = async <T extends keyof FederationMessages & string>(
    type: T,
    payload: FederationMessages[T]['payload'],
  ): Promise<unknown> => {
    const given = { deadlineMs: askDeadlineMs };
    const reply = simulation.system
      .ask(federationAddress(), type, payload, given)
      .catch((error: unknown) => codeOf(error));
    await simulation.run(100);
    return await reply;
  };
  const events = () =>
    queries.audit({ afterSequence: 0, limit: 100 }).items.map(({ type }) => type);
  return { ask, queries: queries.federation, writer, events };
}

const addKey = (accountId: string, publicKey: string) => ({
  accountId,
  publicKey,
  comment: 'laptop',
  by,
});

t.test('one key is one person, and people see the fingerprint of OpenSSH', async (t) => {
  const { ask, queries, events } = await started(t);
  const fingerprint = fingerprintOf(Buffer.from(keyOf(1), 'hex'));
  t.same(await ask('addKey', addKey('a', keyOf(1))), { fingerprint });
  t.equal(await ask('addKey', addKey('b', keyOf(1))), 'FEDERATION_KEY_TAKEN');
  t.match(queries.keys('a'), [{ fingerprint, publicKey: keyOf(1), createdBy: by }]);
  t.same(queries.keys('b'), []);
  const ofOther = { accountId: 'b', fingerprint, by };
  t.equal(await ask('removeKey', ofOther), 'FEDERATION_KEY_NOT_FOUND', 'not by somebody else');
  t.equal(await ask('removeKey', { ...ofOther, accountId: 'a' }), undefined);
  t.same(queries.keys('a'), []);
  t.same(await ask('addKey', addKey('b', keyOf(1))), { fingerprint }, 'it is free again');
  for (const bad of ['', 'AA', keyOf(1).toUpperCase(), `${keyOf(1)}00`]) {
    t.equal(await ask('addKey', addKey('a', bad)), 'FEDERATION_BAD_REQUEST', bad);
  }
  t.same(events().sort(), ['account.key_added', 'account.key_added', 'account.key_removed']);
});

t.test('an account has so many keys and no more', async (t) => {
  const { ask, queries } = await started(t);
  for (let key = 0; key < proofsPerAccount; key++) await ask('addKey', addKey('a', keyOf(key)));
  t.equal(await ask('addKey', addKey('a', keyOf('more'))), 'FEDERATION_TOO_MANY');
  t.equal(queries.keys('a').length, proofsPerAccount);
  t.match(await ask('addKey', addKey('b', keyOf('more'))), { fingerprint: /^SHA256:/ });
});

t.test('a subject at a provider is one account, until it is unlinked', async (t) => {
  const { ask, queries } = await started(t);
  const issuer = 'https://login.example.com';
  const link = (accountId: string, subject: string) => ({ accountId, issuer, subject, by });
  t.equal(await ask('linkIdentity', link('a', '42')), undefined);
  t.equal(await ask('linkIdentity', link('b', '42')), 'FEDERATION_IDENTITY_TAKEN');
  t.equal(queries.identity(issuer, '42')?.accountId, 'a');
  t.equal(queries.identity('https://evil.example', '42'), undefined, 'of another provider');
  for (const bad of ['', 'x'.repeat(256)]) {
    t.equal(await ask('linkIdentity', link('b', bad)), 'FEDERATION_BAD_REQUEST');
  }
  t.equal(await ask('unlinkIdentity', { accountId: 'a', issuer, by }), undefined);
  t.equal(queries.identity(issuer, '42'), undefined);
  t.equal(await ask('linkIdentity', link('b', '42')), undefined);
});

t.test('who left takes neither key nor subject along', async (t) => {
  const { ask, queries, writer } = await started(t);
  const issuer = 'https://login.example.com';
  await ask('addKey', addKey('a', keyOf(1)));
  await ask('linkIdentity', { accountId: 'a', issuer, subject: '42', by });
  await writer.write([{ record: 'accountChanged', account: account('a', 5) }], []);
  t.match(await ask('addKey', addKey('b', keyOf(1))), { fingerprint: /^SHA256:/ });
  t.equal(await ask('linkIdentity', { accountId: 'b', issuer, subject: '42', by }), undefined);
  t.equal(queries.identity(issuer, '42')?.accountId, 'b');
});

t.test('a stranger cannot fill the audit log with refused logins', async (t) => {
  const { ask, events } = await started(t);
  const peerAddress = '192.0.2.7';
  const refused = { method: 'ssh-key', subject: 'x'.repeat(9999), code: 'C', peerAddress } as const;
  for (let count = 0; count < 50; count++) await ask('loginRefused', refused);
  t.equal(events().length, 1);
});
