/** What is lost when this fails: a program stops at night because nobody was told that its token ends. */
import t from 'tap';
import type { EndingApiToken } from '../../../actors/sink/fleet-views.ts';
import { SinkQueries } from '../../../actors/sink/queries.ts';
import { tokenAttention } from '../../../admin/api/token-attention.ts';
import { testSink } from '../../actors/support/sink.ts';

const hour = 3_600_000;
const day = 24 * hour;
const now = 1_800_000_000_000;

/** Of 100 days, with so much left. */
const token = (leftMs: number, more: Partial<EndingApiToken> = {}): EndingApiToken => ({
  id: 'id',
  name: 'deploy',
  accountId: null,
  createdAtMs: now + leftMs - 100 * day,
  expiresAtMs: now + leftMs,
  lastUsedMs: null,
  ...more,
});
const said = (api: EndingApiToken) =>
  tokenAttention({ api: [api], enrollment: [] }, now).map(
    ({ severity, text }) => `${severity}: ${text}`,
  );

t.test(
  'an API token is told of in the last fifth of its life, and when it failed a program',
  (t) => {
    t.same(said(token(13 * day)), ['warning: the API token deploy ends in 13 days']);
    t.same(said(token(day)), ['critical: the API token deploy ends in 1 day']);
    t.same(said(token(90 * 60_000)), ['critical: the API token deploy ends in 1 hour']);
    const month = { createdAtMs: now - 23 * day };
    t.same(said(token(7 * day, month)), [], 'early in the life of a shorter one');
    t.equal(said(token(5 * day, { createdAtMs: now - 25 * day })).length, 1);
    t.same(said(token(hour, { createdAtMs: now - 5 * day })), [], 'one that is meant to end');
    t.same(said(token(-day)), [], 'nobody misses it');
    t.same(
      said(token(-day, { lastUsedMs: now - 3 * day })),
      [],
      'nor one that was given up before',
    );
    t.same(said(token(-day, { lastUsedMs: now - day - hour })), [
      'critical: the API token deploy has ended, and was in use',
    ]);
    t.end();
  },
);

t.test('enrollment tokens that nobody used are one matter', (t) => {
  const waiting = (id: string) => ({
    id,
    match: ['web-*', 'db-1'],
    createdAtMs: 0,
    expiresAtMs: 0,
  });
  const ending = { api: [], enrollment: Array.from({ length: 7 }, (_, at) => waiting(`${at}`)) };
  const [matter, ...more] = tokenAttention(ending, now);
  t.same(more, []);
  t.match(matter, { kind: 'token', severity: 'info', count: 7, text: /^7 enrollment tokens/ });
  t.same(matter?.examples.length, 5);
  t.equal(matter?.examples[0]?.name, 'web-*, db-1');
  t.end();
});

t.test(
  'the database tells those that end, and none that is used, revoked or far away',
  async (t) => {
    const { writer, file } = testSink(t);
    const admin = (name: string, more: object) => ({
      record: 'adminToken' as const,
      token: {
        id: name,
        name,
        role: 'viewer' as const,
        tokenSha256: name,
        createdAtMs: now - 50 * day,
        createdBy: 'admin:test',
        expiresAtMs: now + day,
        lastUsedMs: undefined,
        revokedAtMs: undefined,
        accountId: undefined,
        permissions: undefined,
        envoys: undefined,
        ...more,
      },
    });
    const enrollment = (id: string, expiresAtMs: number) => ({
      record: 'token' as const,
      token: {
        id,
        hash: id,
        match: ['web-*'],
        createdAtMs: now - day,
        createdBy: 'admin:test',
        expiresAtMs,
        usedAtMs: undefined,
        usedBy: undefined,
        revokedAtMs: undefined,
      },
    });
    await writer.write(
      [
        admin('soon', { accountId: 'ada' }),
        admin('ended', { expiresAtMs: now - day, lastUsedMs: now - day }),
        admin('for-ever', { expiresAtMs: undefined }),
        admin('later', { expiresAtMs: now + 15 * day }),
        admin('long-ago', { expiresAtMs: now - 8 * day }),
        admin('revoked', { revokedAtMs: now }),
        enrollment('tonight', now + hour),
        enrollment('tomorrow', now + 2 * day),
        enrollment('over', now - 1),
        enrollment('used', now + hour),
        { record: 'tokenUsed', id: 'used', envoyId: 'x', atMs: now },
      ],
      [],
    );
    const queries = new SinkQueries(file);
    t.teardown(() => queries.close());
    const { api, enrollment: waiting } = queries.overview.ending(now);
    t.match(api, [
      { name: 'ended', accountId: null },
      { name: 'soon', accountId: 'ada' },
    ]);
    t.match(waiting, [{ id: 'tonight', match: ['web-*'] }]);
    t.equal(api.length + waiting.length, 3);
  },
);
