import { randomBytes } from 'node:crypto';
import t from 'tap';
import { FailureLimit, failurePeerLimit } from '../../../actors/enrollment/failure-limit.ts';
import {
  hostnameMatches,
  isHostname,
  patternLimit,
  patternProblem,
} from '../../../actors/enrollment/rules.ts';
import { formatToken, makeToken, parseToken } from '../../../actors/enrollment/token.ts';
import { fc } from '../../support/property.ts';

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/);
const hostname = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));

t.test('a plain name matches itself in any case, and nothing else', async () => {
  fc.assert(
    fc.property(hostname, hostname, (name, other) => {
      const self = hostnameMatches([name], name) && hostnameMatches([name], name.toUpperCase());
      return self && hostnameMatches([name], other) === (name === other);
    }),
  );
});

t.test('a star stands for any text, also with dots', async () => {
  fc.assert(
    fc.property(label, hostname, (prefix, name) => {
      return hostnameMatches([`${prefix}*`], name) === name.startsWith(prefix);
    }),
  );
  t.equal(hostnameMatches(['web-*', 'db-[0-9]'], 'db-7'), true);
  t.equal(hostnameMatches(['web-*', 'db-[0-9]'], 'db-77'), false);
  t.equal(hostnameMatches(['*.example.com'], 'a.b.example.com'), true);
  t.equal(hostnameMatches(['!web'], 'anything'), false, 'no pattern means "all but"');
});

t.test('patterns and names that nobody can mean are refused', async (t) => {
  t.equal(patternProblem(['web-*', 'db-{1,2}.example.com']), undefined);
  const bad = [[], [''], ['a b'], ['a/b'], ['(a|b)'], ['a'.repeat(300)]];
  for (const patterns of [...bad, Array(patternLimit + 1).fill('a')]) {
    t.ok(patternProblem(patterns), JSON.stringify(patterns).slice(0, 40));
  }
  for (const name of ['web-1', 'a.b.c', 'A_b', 'x.']) t.ok(isHostname(name), name);
  for (const name of ['', 'a b', '-a', 'a..b', 'a'.repeat(64), '../x', 'a/b', 'é']) {
    t.notOk(isHostname(name), name);
  }
});

t.test('a token is read back as it was made; a damaged one is none', async () => {
  const random = { bytes: (length: number) => randomBytes(length) };
  fc.assert(
    fc.property(fc.nat({ max: 60 }), fc.string({ maxLength: 3 }), (at, noise) => {
      const token = makeToken(random, 'ab'.repeat(32));
      const text = formatToken(token);
      const same = JSON.stringify(parseToken(text)) === JSON.stringify(token);
      const longer = `${text.slice(0, at)} ${noise}${text.slice(at)}`;
      return same && parseToken(longer) === undefined && parseToken(text.slice(1)) === undefined;
    }),
  );
});

t.test('failures are counted per peer and forgotten after a minute', async (t) => {
  const limit = new FailureLimit(2);
  limit.failed('192.0.2.1', 0);
  t.equal(limit.waitMs('192.0.2.1', 1000), 0);
  limit.failed('::ffff:192.0.2.1', 1000);
  t.equal(limit.waitMs('192.0.2.1', 2000), 58_000);
  t.equal(limit.waitMs('192.0.2.2', 2000), 0);
  t.equal(limit.waitMs('192.0.2.1', 60_000), 0);
  limit.failed('2001:db8:1:2::1', 0);
  limit.failed('2001:db8:1:2:ffff::9', 0);
  t.ok(limit.waitMs('2001:db8:1:2::77', 0) > 0, 'one /64 is one peer');
  t.equal(limit.waitMs('2001:db8:1:3::77', 0), 0);
});

t.test('the memory of failures is bounded', async (t) => {
  const limit = new FailureLimit(1);
  for (let peer = 0; peer < failurePeerLimit + 500; peer++) limit.failed(`peer-${peer}`, 0);
  t.equal(limit.peers, failurePeerLimit);
});
