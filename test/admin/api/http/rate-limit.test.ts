import { readFileSync } from 'node:fs';
import t from 'tap';
import { parseConfig } from '../../../../actors/server/config/load.ts';
import type { Principal } from '../../../../admin/api/authenticate.ts';
import { IdempotencyStore } from '../../../../admin/api/http/idempotency.ts';
import { RateGuard } from '../../../../admin/api/http/rate-guard.ts';
import { RateLimit, ratePolicies, ratePoliciesOf } from '../../../../admin/api/http/rate-limit.ts';
import type { EdgeRequest } from '../../../../admin/api/http-edge.ts';
import { fc } from '../../../support/property.ts';

const request = (method: string, body = ''): EdgeRequest => ({
  method,
  path: '/api/v1/tokens',
  query: '',
  header: () => undefined,
  body: Buffer.from(body),
  peerAddress: '192.0.2.7',
});
const ann: Principal = {
  by: 'admin:ann',
  name: 'ann',
  role: 'admin',
  tokenId: 't',
  expiresAtMs: undefined,
};

t.test('over any time, nobody gets more than the burst and the rate', (t) => {
  const step = fc.record({ waitMs: fc.nat({ max: 3_000 }), takes: fc.nat({ max: 12 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      let nowMs = 0;
      let taken = 0;
      const policy = { name: 'x', perSecond: 2, burst: 5 };
      const limit = new RateLimit(policy, { monotonicMs: () => nowMs });
      for (const { waitMs, takes } of steps) {
        nowMs += waitMs;
        for (let at = 0; at < takes; at++) {
          try {
            limit.take('ann');
            taken += 1;
          } catch {
            break;
          }
        }
        if (taken > 5 + (nowMs / 1000) * 2 + 0.001) return false;
      }
      nowMs += 10_000;
      return limit.take('ann').left === 4;
    }),
  );
  t.end();
});

t.test('server.yaml sets every limit, and says where a value is wrong', (t) => {
  const policiesOf = (text: string) =>
    ratePoliciesOf(parseConfig(text, { file: 'server.yaml', home: '/home/vigo' }).api);
  t.same(policiesOf(''), ratePolicies, 'what the router takes when nobody says anything');
  const page = readFileSync(new URL('../../../../docs/api.md', import.meta.url), 'utf8');
  const [, documented = ''] = /```yaml\n(api:[^`]*)```/.exec(page) ?? [];
  t.same(policiesOf(documented), ratePolicies, 'and docs/api.md shows the defaults');
  const keys = {
    requests_per_second: 1,
    requests_burst: 2,
    writes_per_second: 3,
    writes_burst: 4,
    address_requests_per_second: 5,
    address_burst: 6,
    refusals_per_minute: 420,
    refusals_burst: 8,
  };
  t.match(policiesOf(`api: ${JSON.stringify(keys)}`), {
    principal: { perSecond: 1, burst: 2 },
    writes: { perSecond: 3, burst: 4 },
    address: { perSecond: 5, burst: 6 },
    refusals: { perSecond: 7, burst: 8 },
  });
  for (const [name, value] of [
    ['requests_per_second', '0'],
    ['writes_burst', '1000001'],
    ['refusals_per_minute', '0.5'],
    ['address_burst', 'many'],
  ] as const) {
    const error = { code: 'CONFIG_INVALID_VALUE', message: /server\.yaml:3:\d+.*from 1 to/ };
    t.throws(() => policiesOf(`api:\n  # too much\n  ${name}: ${value}\n`), error, name);
  }
  t.throws(() => policiesOf('api:\n  request_per_second: 9\n'), {
    code: 'CONFIG_UNKNOWN_KEY',
    message: /server\.yaml:2:3.*requests_per_second/,
  });
  t.end();
});

t.test('a client that asks too much learns when to come back; others do not notice', (t) => {
  let nowMs = 0;
  const guard = new RateGuard({ monotonicMs: () => nowMs });
  const { burst } = ratePolicies.writes;
  t.match(guard.known(request('POST'), ann), { ratelimit: `"writes";r=${burst - 1};t=1` });
  for (let at = 1; at < burst; at++) guard.known(request('POST'), ann);
  t.throws(() => guard.known(request('POST'), ann), {
    code: 'API_RATE_LIMITED',
    details: { retryAfter: 1, headers: { 'ratelimit-policy': `"writes";q=${burst};w=10` } },
  });
  guard.known(request('GET'), ann);
  guard.known(request('POST'), { ...ann, by: 'admin:bob' });
  nowMs += 1_000;
  guard.known(request('POST'), ann);
  const { tokenId: _none, ...rest } = ann;
  const local = { ...rest, by: 'admin:local', tokenId: undefined };
  t.same(guard.known(request('POST'), local), {}, 'the machine itself has no limit');
  t.end();
});

t.test('whoever tries credentials is slowed down, by address', (t) => {
  let nowMs = 0;
  const guard = new RateGuard({ monotonicMs: () => nowMs });
  for (let at = 0; at < 200; at++) guard.refused('192.0.2.7');
  t.throws(() => guard.arrived('192.0.2.7'), { code: 'API_RATE_LIMITED' });
  guard.arrived('192.0.2.8');
  nowMs += 2_000;
  guard.arrived('192.0.2.7');
  t.end();
});

t.test('memory is bounded, however many strangers come', (t) => {
  const limit = new RateLimit({ name: 'x', perSecond: 1, burst: 1 }, { monotonicMs: () => 0 });
  limit.take('first');
  t.throws(() => limit.take('first'));
  for (let at = 0; at < 10_000; at++) limit.take(`address ${at}`);
  limit.take('first');
  t.pass('the one that was quiet for longest was forgotten');
  t.end();
});

t.test(
  'of answers to repeated writes only so much is kept; a running one is not started twice',
  async (t) => {
    const clock = { monotonicMs: () => 0 };
    const store = new IdempotencyStore(clock, { entriesMax: 2, charactersMax: 100 });
    let runs = 0;
    const run = async () => {
      runs += 1;
      return { status: 200, headers: {}, body: 'x'.repeat(30) };
    };
    for (const key of ['a', 'b', 'c']) await store.once('ann', key, request('POST'), run);
    await store.once('ann', 'c', request('POST'), run);
    t.equal(runs, 3);
    await store.once('ann', 'a', request('POST'), run);
    t.equal(runs, 4, 'the oldest was forgotten');
    const never = new Promise<never>(() => undefined);
    void store.once('ann', 'd', request('POST'), () => never);
    await t.rejects(store.once('ann', 'd', request('POST'), run), {
      code: 'API_IDEMPOTENCY_RUNNING',
    });
    await t.rejects(store.once('ann', 'e', request('POST'), () => Promise.reject(new Error('x'))));
    await store.once('ann', 'e', request('POST'), run);
    t.equal(runs, 5, 'what failed may be tried again');
  },
);
