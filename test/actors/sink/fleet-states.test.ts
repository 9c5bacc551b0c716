import { join } from 'node:path';
import t from 'tap';
import { type EnvoyState, stateNumber } from '../../../actors/envoy/states.ts';
import type { LiveEvent } from '../../../actors/events/messages.ts';
import { selects } from '../../../actors/selector/match.ts';
import { isProblem, readSelector, type Selector } from '../../../actors/selector/selector.ts';
import type { FleetEntry } from '../../../actors/sink/fleet-batch.ts';
import { SinkQueries } from '../../../actors/sink/queries.ts';
import { SinkWriter } from '../../../actors/sink/writer.ts';
import { fc } from '../../support/property.ts';
import { startMs } from '../support/environment.ts';
import { envoyIdOf, envoyRecord, reportEntry } from '../support/sink.ts';
import { temporaryDirectory } from '../support/temporary.ts';

type Teardown = Parameters<typeof temporaryDirectory>[0];

const minute = 60_000;
let sequence = 0;

function entry(type: string, atMs: number, body: unknown, storeId = 7): FleetEntry {
  sequence += 1;
  return { storeId, sequence, event: { type, atMs, body } };
}

function seen(envoy: number, state: EnvoyState, atMs: number, more: object = {}): FleetEntry {
  return entry('envoy.seen', atMs, {
    envoyId: envoyIdOf(envoy),
    lastSeenMs: atMs,
    state: stateNumber(state),
    driftRuns: 2,
    policyVersion: 3,
    agentVersion: '0.1.0',
    ...more,
  });
}

function silent(envoy: number, lastSeenMs: number, atMs: number): FleetEntry {
  return entry('envoy.silent', atMs, { envoyId: envoyIdOf(envoy), lastSeenMs });
}

function traits(envoy: number, document: unknown): FleetEntry {
  const traitsJson = Buffer.from(JSON.stringify(document));
  const body = { envoyId: envoyIdOf(envoy), hash: Buffer.alloc(16, sequence), traitsJson };
  return entry('traits.reported', startMs, body);
}

/** A sink, and what it tells people who watch. */
function watchedSink(t: Teardown) {
  const told: LiveEvent[] = [];
  const file = join(temporaryDirectory(t), 'vigo.db');
  const written = (events: readonly LiveEvent[]) => told.push(...events);
  const writer = new SinkWriter({ file, runsPerEnvoy: 100, written });
  t.teardown(() => writer.close());
  return { writer, file, told };
}

/** A sink with envoys, and the queries that people ask of it. */
async function fleetOf(
  t: Teardown,
  envoys: number,
): Promise<[SinkWriter, SinkQueries, LiveEvent[]]> {
  const { writer, file, told } = watchedSink(t);
  await writer.write(
    Array.from({ length: envoys }, (_, at) => envoyRecord(at + 1)),
    [],
  );
  const queries = new SinkQueries(file);
  t.teardown(() => queries.close());
  return [writer, queries, told];
}

t.test(
  'every change of state is kept with its time, its cause and how long it lasted',
  async (t) => {
    const [writer, queries, told] = await fleetOf(t, 1);
    await writer.drain('shard-1', [
      seen(1, 'converged', startMs),
      seen(1, 'converged', startMs + minute),
      seen(1, 'relapsed', startMs + 2 * minute),
      silent(1, startMs + 2 * minute, startMs + 5 * minute),
      seen(1, 'converged', startMs + 9 * minute),
    ]);
    t.same(
      told.map(({ data }) => [data.from, data.to]),
      [
        ['no data', 'converged'],
        ['converged', 'relapsed'],
        ['relapsed', 'offline'],
        ['offline', 'converged'],
      ],
      'viewers are told of each',
    );
    const { items, next } = queries.envoys.history(envoyIdOf(1), 3);
    t.match(items, [
      { from: 'offline', to: 'converged', afterMs: 4 * minute },
      { from: 'relapsed', to: 'offline', reason: 'it missed three check-ins' },
      { from: 'converged', to: 'relapsed', reason: /2 runs in a row/, afterMs: 2 * minute },
    ]);
    t.match(queries.envoys.history(envoyIdOf(1), 3, next).items, [{ from: 'no data' }]);
    const [envoy] = queries.findEnvoys('host-1');
    t.match(envoy, { state: 'converged', stateSinceMs: startMs + 9 * minute });
    t.same(
      queries.overview.transitionTotals().sort((a, b) => a.to - b.to),
      [
        { to: stateNumber('converged'), transitions: 2 },
        { to: stateNumber('relapsed'), transitions: 1 },
        { to: stateNumber('offline'), transitions: 1 },
      ],
    );
    t.match(queries.overview.today(startMs), { transitions: 4, runs: 0 });
  },
);

t.test('news that comes late, twice or for nobody changes nothing', async (t) => {
  const [writer, queries] = await fleetOf(t, 2);
  const revoked = { record: 'envoyRevoked', envoyId: envoyIdOf(2), reason: 'gone', atMs: startMs };
  await writer.write([revoked as never], []);
  await writer.drain('shard-1', [
    seen(1, 'converged', startMs + minute),
    // Of the shard that it left: heard of before it was heard of elsewhere.
    silent(1, startMs, startMs + 2 * minute),
    seen(1, 'failed', startMs),
    seen(2, 'failed', startMs + minute),
    seen(9, 'failed', startMs + minute),
    silent(9, 0, startMs + minute),
  ]);
  t.equal(queries.findEnvoys('host-1')[0]?.state, 'converged');
  t.equal(queries.findEnvoys('host-2')[0]?.state, 'revoked');
  t.equal(queries.envoys.history(envoyIdOf(1), 10).items.length, 1);
});

t.test(
  'an envoy that was enrolled and never came has no data, and does not fall silent',
  async (t) => {
    const [writer, queries] = await fleetOf(t, 1);
    await writer.drain('shard-1', [silent(1, 0, startMs)]);
    t.equal(queries.findEnvoys('host-1')[0]?.state, 'no data');
  },
);

t.test('events that an older release left behind are understood', async (t) => {
  const [writer, queries] = await fleetOf(t, 1);
  const changed = seen(1, 'converged', startMs, { state: 2, driftRuns: undefined });
  await writer.drain('shard-1', [changed]);
  t.equal(queries.findEnvoys('host-1')[0]?.state, 'converged');
});

t.test(
  'lists are sorted, paged and counted, and begin anew for a cursor of another order',
  async (t) => {
    const [writer, queries] = await fleetOf(t, 25);
    const states: EnvoyState[] = ['failed', 'converged', 'offline', 'diverged', 'relapsed'];
    await writer.drain(
      'shard-1',
      Array.from({ length: 24 }, (_, at) => seen(at + 1, states[at % 5]!, startMs + at)),
    );
    for (const sort of [
      'hostname',
      'state',
      'since',
      'seen',
      'policy',
      'agent',
      'os',
      'enrolled',
      'certificate',
    ]) {
      for (const order of ['asc', 'desc'] as const) {
        const filter = { sort: sort as 'state', order, limit: 7 };
        const ids: string[] = [];
        let cursor: string | undefined;
        do {
          const page = queries.envoys.page({ ...filter, ...(cursor ? { cursor } : {}) });
          ids.push(...page.items.map(({ id }) => id));
          t.equal(page.total, 25);
          cursor = page.next;
        } while (cursor !== undefined);
        t.equal(new Set(ids).size, 25, `each once by ${sort} ${order}`);
      }
    }
    const urgent = queries.envoys.page({ sort: 'state', limit: 8 });
    t.same(
      [...new Set(urgent.items.map(({ state }) => state))],
      ['failed', 'diverged'],
      'what is worst comes first',
    );
    t.match(urgent.counts, { failed: 5, converged: 5, 'no data': 1, revoked: 0 });
    const other = queries.envoys.page({ sort: 'seen', cursor: urgent.next ?? '', limit: 1 });
    t.equal(other.items[0]?.hostname, 'host-25', 'never seen is first by "seen"');
    t.equal(queries.envoys.page({ state: 'failed', limit: 1 }).total, 5);
  },
);

t.test('the index of traits gives the answer that the traits themselves give', async (t) => {
  const [writer, queries] = await fleetOf(t, 12);
  const word = fc.constantFrom('debian', 'rhel', 'Debian', 'a*b', 'a[b', '', '12', '1', 'true');
  const leaf = fc.oneof(word, fc.integer({ max: 12, min: 0 }), fc.boolean(), fc.array(word));
  const names = fc.constantFrom('os', 'site', 'docker.io', 'family');
  const document = fc.dictionary(names, fc.oneof(leaf, fc.dictionary(names, leaf)), { maxKeys: 4 });
  const path = fc.constantFrom('os', 'os.family', 'site.os', 'docker.io', 'site.docker.io');
  const value = fc.constantFrom(
    'debian',
    'd*',
    '*',
    '"a*b"',
    'a*b',
    'a[b',
    '1?',
    '""',
    'true',
    '1',
  );
  const part = fc.oneof(
    fc.tuple(path, fc.constantFrom('=', '!='), value).map((all) => all.join('')),
    fc.constantFrom('host-*', 'host-1', 'HOST-2', 'host-1?', '{host-3,host-4}', envoyIdOf(5)),
  );
  const selectors = fc.array(fc.uniqueArray(part, { minLength: 1, maxLength: 3 }), {
    minLength: 1,
    maxLength: 8,
  });
  const documents = new Map<number, unknown>();
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 12 }), document), { maxLength: 8 }),
      selectors,
      async (changes, asked) => {
        await writer.drain(
          'shard-1',
          changes.map(([envoy, now]) => traits(envoy, now)),
        );
        for (const [envoy, now] of changes) documents.set(envoy, now);
        for (const parts of asked) {
          const selector = readSelector(parts.join(','));
          if (isProblem(selector)) continue;
          const found = queries.envoys.page({ selector, limit: 100 }).items.map(({ id }) => id);
          const expected = expectedFor(selector, documents);
          if (found.toSorted().join() !== expected.toSorted().join()) {
            throw new Error(`${selector.text}: ${found.join()} instead of ${expected.join()}`);
          }
        }
      },
    ),
    { numRuns: 60 },
  );
});

function expectedFor(selector: Selector, documents: ReadonlyMap<number, unknown>): string[] {
  return Array.from({ length: 12 }, (_, at) => at + 1)
    .filter((envoy) =>
      selects(selector, {
        id: envoyIdOf(envoy),
        hostname: `host-${envoy}`,
        traits: () => JSON.stringify(documents.get(envoy)),
      }),
    )
    .map(envoyIdOf);
}

t.test('people with a grant over some envoys see those and count those', async (t) => {
  const [writer, queries] = await fleetOf(t, 6);
  await writer.drain('shard-1', [seen(1, 'failed', startMs), traits(2, { os: { family: 'bsd' } })]);
  const within = [['host-1'], ['os.family=bsd', 'host-*']].map((all) =>
    all.map((text) => readSelector(text) as Selector),
  );
  const page = queries.envoys.page({ within, limit: 10 });
  t.same(
    page.items.map(({ hostname }) => hostname),
    ['host-1', 'host-2'],
  );
  t.match(page, { total: 2, counts: { failed: 1, 'no data': 1 } });
  t.equal(queries.envoys.page({ within: [], limit: 10 }).total, 0, 'no grant, no envoy');
});

t.test('an envoy in maintenance raises no alarm, and is still counted', async (t) => {
  const [writer, queries] = await fleetOf(t, 3);
  await writer.drain('shard-1', [seen(1, 'failed', startMs), seen(2, 'failed', startMs)]);
  const maintenance = { sinceMs: startMs, reason: 'new disk', by: 'admin:ann' };
  const record = { record: 'envoyMaintenance', envoyId: envoyIdOf(1), maintenance } as const;
  await writer.write([record], []);
  t.match(queries.overview.attention(), [
    { kind: 'failed', count: 1, state: 'failed', examples: [{ name: 'host-2' }] },
  ]);
  t.equal(queries.overview.inMaintenance(), 1);
  t.match(queries.envoys.page({ maintenance: true, limit: 5 }).items, [
    { hostname: 'host-1', state: 'failed', maintenance },
  ]);
  t.equal(queries.envoys.counts().failed, 2);
  const unknown = { ...record, envoyId: envoyIdOf(9) };
  await t.rejects(writer.write([unknown], []), { code: 'SINK_CONFLICT' });
});

t.test(
  'minutes become charts of a day and of a week, with holes where nobody measured',
  async (t) => {
    const [writer, queries] = await fleetOf(t, 2);
    await writer.drain('shard-1', [seen(1, 'converged', startMs)]);
    const atMs = startMs - (startMs % 3_600_000);
    for (const minutes of [0, 1, 12]) {
      const figures = { coveredMs: minute, checkIns: 120, reports: 6 };
      const latency = { latencyP50Us: 400, latencyP99Us: 900 + minutes };
      const at = { record: 'fleetMinute', atMs: atMs + minutes * minute } as const;
      await writer.write([{ ...at, ...figures, ...latency }], []);
    }
    const day = queries.overview.series('24h', atMs + 14 * minute);
    t.equal(day.atMs.length, 288);
    t.same(day.checkInsPerSecond.slice(-3), [2, null, 2]);
    t.same(day.states.converged.slice(-3), [1, null, 1]);
    t.same(day.states['no data'].slice(-3), [1, null, 1]);
    t.same(day.latencyP99Ms.slice(-3), [0.901, null, 0.912]);
    const week = queries.overview.series('7d', atMs + 14 * minute);
    t.equal(week.atMs.length, 168);
    t.same(week.checkInsPerSecond.slice(-2), [null, 2]);
    t.same(week.reportsPerSecond.at(-1), 0.1);
  },
);

t.test('the last that runs told of a resource is its present state', async (t) => {
  const [writer, queries] = await fleetOf(t, 1);
  await writer.drain('shard-1', [reportEntry(9_001, 1, 1), reportEntry(9_002, 1, 2)]);
  const [run] = queries.runs({ limit: 1 }).items;
  t.match(queries.envoys.resources(envoyIdOf(1)), [
    { id: 'motd/message', action: 'updated', runId: run?.id, changedAtMs: startMs },
    { id: 'motd/other', action: 'failed', errorCode: 'AGENT_X', changedAtMs: undefined },
  ]);
  t.match(queries.overview.today(startMs), { runs: 2, runsWithChanges: 2, resourcesChanged: 2 });
});

t.test('each account has its own views, and not without end', async (t) => {
  const [writer, queries] = await fleetOf(t, 1);
  const view = { name: 'mine', query: { selector: 'web-*' }, changedAtMs: startMs };
  const save = (owner: string, name: string) =>
    writer.write([{ record: 'savedView', owner, view: { ...view, name } }], []);
  await save('admin:ann', 'mine');
  await save('admin:ann', 'mine');
  t.same(queries.savedViews('admin:ann'), [view]);
  t.same(queries.savedViews('admin:bob'), []);
  for (let at = 1; at < 100; at += 1) await save('admin:ann', `view ${at}`);
  await t.rejects(save('admin:ann', 'one more'), { code: 'FLEET_VIEW_LIMIT' });
  const remove = { record: 'savedViewRemoved', owner: 'admin:bob', name: 'mine' } as const;
  await t.rejects(writer.write([remove], []), { code: 'FLEET_VIEW_UNKNOWN' });
  await writer.write([{ ...remove, owner: 'admin:ann' }], []);
  t.equal(queries.savedViews('admin:ann').length, 99);
});
