/** What is lost when this fails: who steals a key, or an identity elsewhere, needs no code any more. */
import t from 'tap';
import { accountsKind } from '../../../actors/accounts/actor.ts';
import { accountContext } from '../../../actors/accounts/context.ts';
import {
  type AccountMessages,
  type AccountRecord,
  accountsAddress,
} from '../../../actors/accounts/messages.ts';
import { argon2Passwords } from '../../../actors/accounts/password.ts';
import { totpCode, totpStepAt } from '../../../actors/accounts/totp.ts';
import { sealNonceBytes, secretSeal } from '../../../actors/accounts/totp-seal.ts';
import { codeOf } from '../../../actors/errors.ts';
import { sinkKind } from '../../../actors/sink/actor.ts';
import { Simulation } from '../../../runtime/simulate/simulation.ts';
import { base32Bytes } from '../../end-to-end/support/base32.ts';
import { accountRecord } from '../../support/account-record.ts';
import { testSink } from '../support/sink.ts';

const askDeadlineMs = 60_000;
const epochMs = 1_800_000_000_000;
const origin = { peerAddress: '192.0.2.1', userAgent: 'test' };
const secret = new Uint8Array(20).fill(7);
const seal = secretSeal('the key of the test');
const bare = accountRecord({ id: 'grace' });
const secured = {
  ...bare,
  totpSealed: seal.seal(secret, bare.id, new Uint8Array(sealNonceBytes)),
};

async function started(
  t: { teardown(run: () => void): void },
  account: AccountRecord,
  keySecondFactor: 'ask' | 'skip' = 'ask',
) {
  const { writer } = testSink(t);
  await writer.write([{ record: 'account', account }], []);
  const sink = sinkKind({
    writer,
    outbox: () => undefined,
    trim: () => undefined,
    wake: () => undefined,
    log: () => undefined,
  });
  const accounts = accountsKind(
    accountContext({
      store: writer.accounts,
      settings: { sessionIdleMs: 3_600_000, sessionLifetimeMs: 36_000_000, keySecondFactor },
      passwords: argon2Passwords(),
      seal,
      setupCode: {
        read: async () => undefined,
        write: async () => undefined,
        remove: async () => undefined,
      },
      issuer: 'Vigo',
    }),
  );
  const simulation = new Simulation({
    seed: 1,
    epochMs,
    shards: 0,
    serviceHosts: [{ name: 'service', kinds: ['sink', 'accounts'] }],
    kinds: [sink, accounts],
  });
  await simulation.start();
  /** The reply, or the code of the refusal. */
  const ask = async <T extends keyof AccountMessages & string>(
    type: T,
    payload: AccountMessages[T]['payload'],
  ): Promise<Readonly<Record<string, unknown>>> => {
    const reply = simulation.system
      .ask(accountsAddress(), type, payload, { deadlineMs: askDeadlineMs })
      .catch((error: unknown) => ({ code: codeOf(error) }));
    await simulation.run(100);
    return (await reply) as Readonly<Record<string, unknown>>;
  };
  const enter = (method: 'oidc' | 'ssh-key' | 'ed25519', multiFactor = false) =>
    ask('openSession', { accountId: account.id, method, multiFactor, origin });
  const code = (ahead = 0) => totpCode(secret, totpStepAt(epochMs + simulation.time.nowMs) + ahead);
  return { ask, enter, code };
}

t.test('a key or an identity is one factor: the account’s second one is asked for', async (t) => {
  const { ask, enter, code } = await started(t, secured);
  const steps = { 'ssh-key': -1, ed25519: 0, oidc: 1 } as const;
  for (const method of ['ssh-key', 'ed25519', 'oidc'] as const) {
    const challenged = await enter(method);
    t.equal(challenged.session, undefined, `${method}: no session yet`);
    const challenge = String(challenged.challenge);
    const wrong = await ask('secondFactor', { challenge, code: '000000', origin });
    t.same(wrong, { code: 'ACCOUNT_LOGIN_FAILED' });
    const right = { challenge, code: code(steps[method]), origin };
    const opened = await ask('secondFactor', right);
    t.match(opened, { session: { token: /^vgos_/ }, account: { name: 'grace' } }, method);
    t.same(await ask('secondFactor', right), { code: 'ACCOUNT_CHALLENGE_ENDED' });
  }
});

t.test('who has none, or was asked by the provider, is not asked', async (t) => {
  const plain = await started(t, bare);
  t.match(await plain.enter('ssh-key'), { session: {}, account: { name: 'grace' } });
  const { enter } = await started(t, secured);
  t.match(await enter('oidc', true), { session: {} });
  const spared = await started(t, secured, 'skip');
  t.match(await spared.enter('ssh-key'), { session: {} }, 'server.yaml says so');
  t.match(await spared.enter('ed25519'), { session: {} });
  t.match(await spared.enter('oidc'), { challenge: /./ }, 'and means keys only');
});

t.test(
  'who has no password sets a second factor up without one; who has one does not',
  async (t) => {
    const { ask, enter } = await started(t, bare);
    const { secret: key } = await ask('enrolTotp', {
      accountId: 'grace',
      current: undefined,
      origin,
    });
    const first = totpCode(base32Bytes(String(key)), totpStepAt(epochMs));
    const confirmed = await ask('confirmTotp', { accountId: 'grace', code: first, origin });
    t.equal((confirmed.recoveryCodes as string[]).length, 10);
    t.match(await enter('oidc'), { challenge: /./ }, 'and is asked for it from now on');
    const known = await started(t, { ...bare, passwordHash: 'of a password' });
    const without = { accountId: 'grace', current: undefined, origin };
    t.same(await known.ask('enrolTotp', without), { code: 'ACCOUNT_BAD_REQUEST' });
  },
);

t.test('a code opens nothing that was shut meanwhile', async (t) => {
  const disabled = await started(t, { ...secured, disabledAtMs: 1 });
  t.same(await disabled.enter('ssh-key'), { code: 'ACCOUNT_DISABLED' });
  const { ask, enter, code } = await started(t, secured);
  const { challenge } = await enter('oidc');
  await ask('setDisabled', { id: 'grace', disabled: true, by: 'admin:test' });
  const late = { challenge: String(challenge), code: code(), origin };
  t.equal((await ask('secondFactor', late)).session, undefined);
});
