import t from 'tap';
import type { LiveEvent } from '../../../../actors/events/messages.ts';
import type { Principal } from '../../../../admin/api/authenticate.ts';
import { eventFilter } from '../../../../admin/api/live/filter.ts';
import { EventHub, hubLimits } from '../../../../admin/api/live/hub.ts';
import { EventJournal } from '../../../../admin/api/live/journal.ts';
import { tellingsPerSecond } from '../../../../admin/api/live/news.ts';
import type { LiveOutlet, StreamNotice } from '../../../../admin/api/live/outlet.ts';
import { AdminError } from '../../../../admin/errors.ts';
import { SimulatedClock, SimulatedTime } from '../../../../runtime/simulate/simulated-clock.ts';

const admin: Principal = {
  ...{ by: 'admin:ann', name: 'ann', role: 'admin', tokenId: 't', expiresAtMs: undefined },
};
const web1 = '6f1f5b0e-0000-4000-8000-000000000001';
const everyMs = 5_000;

function event(type: string, more: Partial<LiveEvent> = {}): LiveEvent {
  return { type, atMs: 1, data: {}, ...more };
}

function setUp() {
  const time = new SimulatedTime();
  const clock = new SimulatedClock(time, 0);
  const facts = (id: string) => ({ id, hostname: 'web-1', traits: () => undefined });
  const hub = new EventHub(clock, facts, hubLimits, new EventJournal(0));
  const run = (ms: number): void => {
    const end = time.nowMs + ms;
    while (time.step(end));
  };
  const watch = (
    change: { types?: string; audited?: boolean; after?: number; comesBack?: boolean } = {},
    recheck: () => Principal = () => admin,
  ) => {
    const news: (StreamNotice & { readonly atMs: number })[] = [];
    const peer = { waitingBytes: 0, sent: 0, ended: '' };
    const outlet: LiveOutlet = {
      get waitingBytes() {
        return peer.waitingBytes;
      },
      send: () => {
        peer.sent += 1;
      },
      notify: (notice) => {
        if (notice.type !== 'hello') news.push({ ...notice, atMs: time.nowMs });
      },
      beat: () => undefined,
      end: ({ data }) => {
        peer.ended = String(data.code);
      },
    };
    const { after, comesBack = false } = change;
    const filter = eventFilter(change.types, undefined, change.audited);
    const asked = { filter, after, asker: recheck(), recheck, everyMs, comesBack };
    return { news, peer, connection: hub.open(asked, outlet) };
  };
  return { hub, run, watch };
}

t.test('a hundred events a second are one word every five seconds, for each who looks', (t) => {
  const { hub, run, watch } = setUp();
  const { news, peer } = watch();
  for (let at = 0; at < 200; at++) {
    hub.tell([event('run.finished'), event('envoy.state')]);
    run(100);
  }
  t.same(news[0]?.data, { types: ['run.finished', 'envoy.state'] });
  for (const [at, { atMs }] of news.entries()) {
    t.ok(at === 0 || atMs - (news[at - 1]?.atMs ?? 0) >= everyMs - 2_000, 'not sooner');
  }
  t.equal(peer.sent, 0, 'and no event by itself');
  const last = hub.journal.newest;
  run(2 * everyMs);
  t.equal(news.at(-1)?.id, last, 'the last event is told of, too');
  const told = news.length;
  run(10 * everyMs);
  t.equal(news.length, told, 'and silence costs nothing');
  t.end();
});

t.test('however many look, the server tells only so many a second', (t) => {
  const { hub, run, watch } = setUp();
  const count = 260;
  const watchers = Array.from({ length: count }, () => watch());
  const seconds = 120;
  for (let at = 0; at < seconds * 10; at++) {
    hub.tell([event('run.finished')]);
    run(100);
  }
  const told = watchers.reduce((sum, { news }) => sum + news.length, 0);
  t.ok(told <= tellingsPerSecond * seconds + 2 * count, `${told} in ${seconds} seconds`);
  t.ok(
    watchers.every(({ news }) => news.length >= 4),
    'and nobody is forgotten',
  );
  t.end();
});

t.test('a person who alone looks hears at once, and after that not too often', (t) => {
  const { hub, run, watch } = setUp();
  const { news } = watch();
  run(everyMs);
  hub.tell([event('policy.published')]);
  t.equal(news.length, 1);
  hub.tell([event('policy.published')]);
  run(everyMs - 1);
  t.equal(news.length, 1);
  run(1);
  t.equal(news.length, 2);
  t.end();
});

t.test('many are told of the same moment, some after the other', (t) => {
  const { hub, run, watch } = setUp();
  const viewers = Array.from({ length: 60 }, () => watch());
  run(everyMs);
  hub.tell([event('run.finished')]);
  const { newest } = hub.journal;
  const told = () => viewers.filter(({ news }) => news.length > 0).length;
  t.equal(told(), 3);
  hub.tell([event('run.finished')]);
  run(1_000);
  t.equal(told(), 33, 'they do not all ask at once');
  run(1_000);
  t.equal(told(), 60);
  t.ok(
    viewers.every(({ news }) => news[0]?.id === newest),
    'so that what one of them gets serves the others',
  );
  run(2 * everyMs);
  t.ok(
    viewers.every(({ news }) => news.length === 2 && news[1]?.id === newest + 1),
    'nobody is left behind',
  );
  t.end();
});

t.test('who came at different times is told together, so that one drawing serves all', (t) => {
  const { hub, run, watch } = setUp();
  const early = watch();
  run(1_700);
  const late = watch();
  for (let at = 0; at < 100; at++) {
    hub.tell([event('run.finished')]);
    run(300);
  }
  const ids = (viewer: typeof early) => viewer.news.map(({ id }) => id);
  t.ok(ids(late).length > 3);
  t.same(ids(early), ids(late));
  t.end();
});

t.test('nobody is told of what it did not ask for or may not see', (t) => {
  const { hub, run, watch } = setUp();
  const rollouts = watch({ types: 'rollout.*' });
  const audited = watch({ audited: true });
  const limited = watch({}, () => ({ ...admin, permissions: ['runs.read'] }));
  const grants = [{ role: 'viewer', envoys: 'db-*' }] as const;
  const granted = watch({}, () => ({ ...admin, role: 'none', grants }));
  run(everyMs);
  hub.tell([
    event('account.created', { auditSequence: 1 }),
    event('run.finished', { envoyId: web1 }),
  ]);
  run(2 * everyMs);
  t.same(rollouts.news, []);
  t.same(
    audited.news.map(({ data }) => data),
    [{ types: ['account.created'] }],
  );
  t.same(
    limited.news.map(({ data }) => data),
    [{ types: ['run.finished'] }],
  );
  t.same(granted.news, [], 'and nothing of an envoy of others');
  t.end();
});

t.test('who comes back hears at once of what it missed; a page that was opened knows it', (t) => {
  const { hub, run, watch } = setUp();
  hub.tell([event('run.finished')]);
  const missed = watch({ after: 0, comesBack: true });
  t.equal(missed.news.length, 1);
  const nothingMissed = watch({ after: hub.journal.newest, comesBack: true });
  const opened = watch({ after: 0 });
  t.same([nothingMissed.news.length, opened.news.length], [0, 0]);
  run(everyMs);
  t.same([nothingMissed.news.length, opened.news.length], [0, 1]);
  t.end();
});

t.test('a session that ended hears nothing more, and one that may do less hears less', (t) => {
  const { hub, run, watch } = setUp();
  let session: Principal | undefined = admin;
  const { news, peer } = watch({}, () => {
    if (session === undefined) throw new AdminError('API_UNAUTHENTICATED');
    return session;
  });
  run(everyMs);
  session = { ...admin, role: 'none' };
  run(hubLimits.recheckMs);
  hub.tell([event('run.finished')]);
  run(everyMs);
  t.same(news, []);
  session = undefined;
  hub.tell([event('session.ended')]);
  run(1);
  t.equal(peer.ended, 'EVENTS_CREDENTIAL_ENDED');
  t.end();
});

t.test('who takes nothing is told nothing, and let go', (t) => {
  const { hub, run, watch } = setUp();
  const { news, peer, connection } = watch();
  peer.waitingBytes = hubLimits.waitingBytesMax + 1;
  run(everyMs);
  hub.tell([event('run.finished')]);
  run(everyMs);
  t.same(news, []);
  peer.waitingBytes = 0;
  connection.drained();
  run(everyMs);
  t.equal(news.length, 1, 'one that was only slow goes on');
  peer.waitingBytes = hubLimits.waitingBytesMax + 1;
  run(everyMs);
  hub.tell([event('run.finished')]);
  run(hubLimits.stalledMs + 2 * everyMs);
  t.equal(peer.ended, 'EVENTS_TOO_SLOW');
  hub.close();
  t.end();
});
