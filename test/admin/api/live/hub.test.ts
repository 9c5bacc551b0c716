import t from 'tap';
import type { LiveEvent } from '../../../../actors/events/messages.ts';
import type { Principal } from '../../../../admin/api/authenticate.ts';
import { eventFilter } from '../../../../admin/api/live/filter.ts';
import { EventHub, type HubLimits, hubLimits } from '../../../../admin/api/live/hub.ts';
import { EventJournal } from '../../../../admin/api/live/journal.ts';
import type { EventChunk, LiveOutlet, StreamNotice } from '../../../../admin/api/live/outlet.ts';
import { AdminError } from '../../../../admin/errors.ts';
import { SimulatedClock, SimulatedTime } from '../../../../runtime/simulate/simulated-clock.ts';

const admin: Principal = {
  by: 'admin:ann',
  name: 'ann',
  role: 'admin',
  tokenId: 't',
  expiresAtMs: undefined,
};
const web1 = '6f1f5b0e-0000-4000-8000-000000000001';
const web2 = '6f1f5b0e-0000-4000-8000-000000000002';

function event(type: string, envoyId?: string): LiveEvent {
  return { type, atMs: 1, data: { note: type }, ...(envoyId === undefined ? {} : { envoyId }) };
}

function setUp(limits: Partial<HubLimits> = {}) {
  const time = new SimulatedTime();
  const clock = new SimulatedClock(time, 0);
  const facts = new Map([
    [web1, 'web-1'],
    [web2, 'web-2'],
  ]);
  const journal = new EventJournal(0, { entriesMax: 10, charactersMax: 100_000 });
  const hub = new EventHub(
    clock,
    (id) => ({ id, hostname: facts.get(id) ?? '', traits: () => undefined }),
    { ...hubLimits, sendEveryMs: 0, ...limits },
    journal,
  );
  const run = (ms: number): void => {
    const end = time.nowMs + ms;
    while (time.step(end));
  };
  const watch = (
    change: { types?: string; envoys?: string[]; after?: number; asker?: Principal } = {},
    recheck = () => change.asker ?? admin,
  ) => {
    const got: string[] = [];
    const notices: StreamNotice[] = [];
    const peer = { waitingBytes: 0, beats: 0, over: false };
    const outlet: LiveOutlet = {
      get waitingBytes() {
        return peer.waitingBytes;
      },
      send: (chunk: EventChunk) => got.push(...chunk.entries.map(({ type }) => type)),
      notify: (notice) => notices.push(notice),
      beat: () => {
        peer.beats += 1;
      },
      end: (notice) => {
        notices.push(notice);
        peer.over = true;
      },
    };
    const filter = eventFilter(change.types, change.envoys);
    const connection = hub.open(
      { filter, after: change.after, asker: change.asker ?? admin, recheck },
      outlet,
    );
    return { got, notices, peer, connection };
  };
  return { hub, run, watch };
}

t.test('D22: everybody gets all that it asked for and may see, however many look', (t) => {
  const { hub, watch } = setUp();
  const all = watch();
  const some = watch({ types: 'rollout.*,policy.published' });
  const one = watch({ envoys: [web1] });
  const viewer = watch({ asker: { ...admin, role: 'viewer' } });
  const auditor = watch({ asker: { ...admin, role: 'auditor' } });
  const grants = [{ role: 'viewer', envoys: 'web-2' }] as const;
  const granted = watch({ asker: { ...admin, role: 'none', grants } as never });
  hub.tell([
    event('rollout.stage_started'),
    event('envoy.state', web1),
    event('envoy.state', web2),
    event('secret.set'),
    event('policy.published'),
    event('account.created'),
  ]);
  t.same(all.got.length, 6);
  t.same(some.got, ['rollout.stage_started', 'policy.published']);
  t.same(one.got, ['envoy.state']);
  t.ok(viewer.got.includes('envoy.state'));
  t.ok(auditor.got.includes('account.created'));
  t.same(granted.got, ['envoy.state'], 'a grant over one envoy shows that envoy and nothing else');
  t.end();
});

t.test('what comes close together goes out together, and nothing waits for long', (t) => {
  const { hub, watch, run } = setUp({ sendEveryMs: 200 });
  const { got } = watch();
  hub.tell([event('policy.published')]);
  t.equal(got.length, 1, 'the first at once');
  for (let at = 0; at < 5; at++) hub.tell([event('token.created')]);
  t.equal(got.length, 1);
  run(200);
  t.equal(got.length, 6);
  run(1_000);
  hub.tell([event('token.revoked')]);
  t.equal(got.length, 7);
  t.end();
});

t.test('a viewer that comes back goes on behind its last event, or is told of the gap', (t) => {
  const { hub, watch } = setUp();
  hub.tell([event('token.created')]);
  const id = hub.journal.newest;
  hub.tell([event('token.revoked'), event('policy.published')]);
  t.same(watch({ after: id }).got, ['token.revoked', 'policy.published']);
  for (let at = 0; at < 12; at++) hub.tell([event('token.created')]);
  const late = watch({ after: id });
  t.match(late.notices, [{ type: 'reset', id: hub.journal.newest, data: { code: 'EVENTS_GAP' } }]);
  t.same(late.got, []);
  t.match(watch({ after: hub.journal.newest + 5 }).notices, [{ type: 'reset' }], 'of another life');
  hub.tell([event('policy.published')]);
  t.same(late.got, ['policy.published'], 'and the stream goes on');
  t.end();
});

t.test('a batch that was lost, or another source, is a gap for everybody', (t) => {
  const { hub, watch } = setUp();
  const { got, notices } = watch();
  const batch = (source: string, number: number) => ({ source, number, events: [event('x.y')] });
  hub.take(batch('a', 1));
  hub.take(batch('a', 2));
  t.same(
    notices.map(({ type }) => type),
    ['hello'],
  );
  hub.take(batch('a', 4));
  t.same(
    notices.map(({ type }) => type),
    ['hello', 'reset'],
  );
  hub.take(batch('b', 1));
  t.same(
    notices.map(({ type }) => type),
    ['hello', 'reset', 'reset'],
  );
  t.same(got.length, 4);
  t.end();
});

t.test('a slow viewer costs nothing, and is let go with a code', (t) => {
  const { hub, watch, run } = setUp({ waitingBytesMax: 100, stalledMs: 5_000 });
  const slow = watch();
  const quick = watch();
  slow.peer.waitingBytes = 200;
  hub.tell([event('token.created')]);
  t.same(slow.got, [], 'it gets no more than it takes');
  slow.peer.waitingBytes = 0;
  slow.connection.drained();
  t.same(slow.got, ['token.created'], 'and goes on where it was');
  slow.peer.waitingBytes = 200;
  for (let at = 0; at < 12; at++) hub.tell([event('token.revoked')]);
  t.match(slow.notices.at(-1), { type: 'end', data: { code: 'EVENTS_TOO_SLOW' } });
  t.same(quick.got.length, 13, 'others are not held up');
  const stuck = watch();
  stuck.peer.waitingBytes = 200;
  hub.tell([event('token.revoked')]);
  run(20_000);
  t.match(stuck.notices.at(-1), { type: 'end', data: { code: 'EVENTS_TOO_SLOW' } });
  t.equal(hub.viewers, 1);
  t.same([...hub.ended], [['EVENTS_TOO_SLOW', 2]]);
  t.end();
});

t.test('a session or token that ended ends its streams; one that may do less sees less', (t) => {
  const { hub, watch, run } = setUp();
  let asker: Principal | undefined = admin;
  const viewer = watch({}, () => {
    if (asker === undefined) throw new AdminError('API_UNAUTHENTICATED');
    return asker;
  });
  const other = watch();
  run(60_000);
  t.ok(other.peer.beats >= 3, 'quiet streams are kept alive');
  t.notOk(viewer.peer.over);
  asker = { ...admin, permissions: ['envoys.read'] };
  hub.tell([event('access.token_revoked')]);
  run(0);
  hub.tell([event('access.token_created')]);
  t.same(viewer.got, ['access.token_revoked'], 'the rights of now count');
  asker = undefined;
  run(hubLimits.recheckMs);
  t.match(viewer.notices.at(-1), { type: 'end', data: { code: 'EVENTS_CREDENTIAL_ENDED' } });
  t.notOk(other.peer.over);
  t.end();
});

t.test('nobody opens streams without end', (t) => {
  const { hub, watch } = setUp({ viewersMax: 3, viewersPerNameMax: 2 });
  const [first] = [watch(), watch()];
  t.throws(() => hub.admit(admin), { code: 'EVENTS_TOO_MANY_VIEWERS' });
  watch({ asker: { ...admin, name: 'bob' } });
  t.throws(() => hub.admit({ ...admin, name: 'bob' }), { code: 'EVENTS_TOO_MANY_VIEWERS' });
  first?.connection.closed();
  hub.admit(admin);
  hub.close();
  t.equal(hub.viewers, 0);
  t.end();
});
