/** What is lost when this fails: a signature that was made once opens the server again. */
import t from 'tap';
import { LoginChallenges } from '../../../admin/api/login/challenges.ts';
import { OnceOnly } from '../../../admin/api/login/once-only.ts';
import { AdminError } from '../../../admin/errors.ts';
import { parseChallenge } from '../../../admin/login/challenge-text.ts';
import { fc } from '../../support/property.ts';

const clock = { now: 1_000 };
const facts = {
  server: 'vigo.example.com',
  authority: 'ab'.repeat(32),
  nowMs: () => clock.now,
};

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof AdminError) return error.code;
    throw error;
  }
  return 'none';
}

t.test('a challenge is for one account, one server and one login, and ends', (t) => {
  const challenges = new LoginChallenges(facts);
  const { challenge, seal, expiresAtMs } = challenges.issue('alice');
  const check = (by = challenges, text = challenge, sealed = seal, account = 'alice') =>
    codeOf(() => by.check(text, sealed, account));
  t.equal(check(), 'none');
  t.equal(check(challenges, challenge, seal, 'bob'), 'LOGIN_CHALLENGE_INVALID');
  t.equal(check(new LoginChallenges(facts)), 'LOGIN_CHALLENGE_INVALID', 'another process');
  const other = challenges.issue('alice');
  t.equal(check(challenges, challenge, other.seal), 'LOGIN_CHALLENGE_INVALID');
  t.not(other.challenge, challenge);
  for (const sealed of ['', 'zz', seal.slice(2), `${seal}00`]) {
    t.equal(check(challenges, challenge, sealed), 'LOGIN_CHALLENGE_INVALID', sealed);
  }
  challenges.use(challenge);
  t.equal(check(), 'LOGIN_CHALLENGE_INVALID', 'used');
  t.equal(
    codeOf(() => challenges.use(challenge)),
    'LOGIN_CHALLENGE_INVALID',
  );
  clock.now = expiresAtMs;
  t.equal(check(challenges, other.challenge, other.seal), 'LOGIN_CHALLENGE_INVALID', 'too late');
  clock.now = 1_000;
  t.end();
});

t.test('whatever a stranger calls himself, the text means him and nothing else', (t) => {
  const challenges = new LoginChallenges(facts);
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 63 }), (account) => {
      const { challenge } = challenges.issue(account);
      const fields = parseChallenge(challenge);
      if (account.includes('\n')) return fields === undefined;
      return fields?.account === account && fields.authority === facts.authority;
    }),
  );
  t.end();
});

t.test('what was used is remembered until its end, and never too much at once', (t) => {
  const once = new OnceOnly(() => clock.now, 3);
  for (const name of ['a', 'b', 'c']) t.ok(once.use(name, 2_000));
  t.notOk(once.use('a', 2_000));
  t.equal(
    codeOf(() => once.use('d', 2_000)),
    'API_BUSY',
    'nothing is forgotten to make room',
  );
  t.notOk(once.use('a', 2_000));
  clock.now = 2_000;
  t.ok(once.use('d', 3_000), 'what has ended by itself is');
  clock.now = 1_000;
  t.end();
});
