/** What is lost when this fails: a program of somebody else gets the login that was meant for yours. */
import t from 'tap';
import { Handovers } from '../../../admin/api/login/oidc/handover.ts';
import { CodeListener } from '../../../admin/cli/login/code-listener.ts';
import { comparedCode, pkceChallenge } from '../../../admin/login/program-login.ts';
import { fc } from '../../support/property.ts';

const person = { accountId: 'ada', multiFactor: false };
const verifier = 'a'.repeat(43);
const program = { challenge: pkceChallenge(verifier), port: 4711 };
const refused = { code: 'OIDC_HANDOVER_INVALID' };

t.test('a code is good for one program, once, for five minutes', (t) => {
  let nowMs = 0;
  const handovers = new Handovers(() => nowMs);
  t.same(handovers.take(handovers.issue(person, program), verifier), person);
  const late = handovers.issue(person, program);
  nowMs += 299_999;
  const inTime = handovers.issue(person, program);
  nowMs += 1;
  t.throws(() => handovers.take(late, verifier), refused);
  t.same(handovers.take(inTime, verifier), person);
  t.throws(() => handovers.take('', verifier), refused);
  t.end();
});

t.test('however many are begun, as many are kept as are allowed', (t) => {
  const handovers = new Handovers(() => 0, 3);
  const codes = Array.from({ length: 5 }, () => handovers.issue(person, program));
  t.equal(new Set(codes).size, 5);
  for (const code of codes.slice(0, 2)) t.throws(() => handovers.take(code, verifier), refused);
  for (const code of codes.slice(2)) t.same(handovers.take(code, verifier), person);
  t.end();
});

t.test('challenges are those of RFC 7636, appendix B, and people compare short words', (t) => {
  const known = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
  t.equal(pkceChallenge(known), 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM');
  fc.assert(
    fc.property(fc.string(), fc.string(), (one, other) => {
      const isWord = /^[a-z2-7]{4}-[a-z2-7]{4}$/.test(comparedCode(one));
      return isWord && (one === other || comparedCode(one) !== comparedCode(other));
    }),
  );
  t.end();
});

t.test('only who knows the address of the page brings the program a code', async (t) => {
  const listener = await CodeListener.open('path');
  t.teardown(() => listener.close());
  const base = `http://127.0.0.1:${listener.port}`;
  for (const other of ['/', '/?code=x', '/path', '/path?code=', '/pathx?code=x', '//path?code=x']) {
    t.equal((await fetch(base + other)).status, 404, other);
  }
  t.equal((await fetch(`${base}/path?code=x`, { method: 'POST' })).status, 404);
  const brought = await fetch(`${base}/path?code=the%20code&other=1`);
  t.equal(brought.status, 200);
  t.match(await brought.text(), /vigocli/);
  t.equal(await listener.code, 'the code');
});
