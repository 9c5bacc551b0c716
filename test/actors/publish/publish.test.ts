import { createHash } from 'node:crypto';
import t from 'tap';
import { policyTables } from '../../../actors/policy/tables.ts';
import { publishKind } from '../../../actors/publish/actor.ts';
import { type Diagnostic, publishAddress } from '../../../actors/publish/messages.ts';
import { publishWriterKind } from '../../../actors/publish/writer.ts';
import type { SinkMessages } from '../../../actors/sink/messages.ts';
import { decodeBundle } from '../../../agent/protocol/bundle-document.ts';
import { toHex } from '../../../agent/protocol/bytes.ts';
import type { Sha256 } from '../../../agent/protocol/crypto.ts';
import type { ActorKind } from '../../../runtime/actor.ts';
import { bytesCodec, msgpackCodec } from '../../../runtime/codecs.ts';
import { type Simulation, startSimulation } from '../../../runtime/simulate/simulation.ts';

const tables = policyTables(msgpackCodec, bytesCodec);
const crypto: Sha256 = {
  sha256Into: (output, input) => output.set(createHash('sha256').update(input).digest()),
};
const deadline = { deadlineMs: 60_000 };

type Written = SinkMessages['write']['payload'];

function sinkStub(written: Written[], fails: () => boolean): ActorKind<undefined, SinkMessages> {
  return {
    name: 'sink',
    placement: 'service',
    mailboxLimit: 100,
    idleAfterMs: 0,
    restart: { maxRestarts: 100, withinMs: 1000 },
    activate: () => undefined,
    handlers: {
      write: (_turn, payload) => {
        if (fails()) throw new Error('the sink is down');
        written.push(payload);
        return { auditSequence: written.length };
      },
      outboxReady: () => undefined,
      exportIdentities: () => ({ identities: [], done: true }),
      findToken: () => undefined,
    },
  };
}

/** Gives the test a way to put identities into the service thread's store. */
type SeedMessages = {
  add: { payload: { envoyId: string; hostname: string; revoked: boolean }[]; reply: undefined };
};
const seedKind: ActorKind<undefined, SeedMessages> = {
  name: 'seed',
  placement: 'service',
  mailboxLimit: 10,
  idleAfterMs: 0,
  restart: { maxRestarts: 1, withinMs: 1000 },
  activate: () => undefined,
  handlers: {
    add: (turn, identities) => {
      for (const { envoyId, hostname, revoked } of identities) {
        const row = { hostname, publicKey: new Uint8Array(32), revoked, settledReportSequence: 0 };
        turn.put(tables.identities, envoyId, row);
      }
      turn.replyAfter('durable');
      return undefined;
    },
  },
};
const seedAddress = { kind: 'seed', key: 'main' } as {
  kind: string;
  key: string;
  messages?: SeedMessages;
};

class Fleet {
  readonly simulation: Simulation;
  readonly written: Written[];
  sinkFails = false;

  constructor(simulation: Simulation, written: Written[]) {
    this.simulation = simulation;
    this.written = written;
  }

  async stack(files: Record<string, string>): Promise<void> {
    await this.simulation.disk.remove('/home/stacks');
    for (const [path, text] of Object.entries(files)) {
      await this.simulation.disk.writeDurable(
        `/home/stacks/${path}`,
        new TextEncoder().encode(text),
      );
    }
  }

  add(envoyId: string, hostname: string, revoked = false) {
    const { system } = this.simulation;
    const rows = [{ envoyId, hostname, revoked }];
    return this.simulation.until(system.ask(seedAddress, 'add', rows, deadline));
  }

  publish(message = 'a change') {
    const { system } = this.simulation;
    const request = { message, by: 'admin:ann' };
    return this.simulation.until(system.ask(publishAddress(), 'publish', request, deadline));
  }

  recover() {
    const { system } = this.simulation;
    return this.simulation.until(system.ask(publishAddress(), 'recover', {}, deadline));
  }

  assign(envoyId: string, hostname: string) {
    const { system } = this.simulation;
    const request = { envoyId, hostname };
    return this.simulation.until(system.ask(publishAddress(), 'assign', request, deadline));
  }

  version(): number {
    return this.simulation.reader('service').get(tables.current, 'current')?.version ?? 0;
  }

  /** Names of the modules that an envoy enforces, or undefined when it has no bundle. */
  modules(envoyId: string): string[] | undefined {
    const reader = this.simulation.reader('service');
    const root = reader.get(tables.assignments, envoyId);
    const document = root && reader.get(tables.bundles, toHex(root));
    return document && decodeBundle(document).modules.map(({ name }) => name);
  }
}

async function fleet(): Promise<Fleet> {
  const written: Written[] = [];
  let made: Fleet | undefined;
  const kinds = [
    publishKind({ stackDirectory: '/home/stacks', liveDirectory: '/home/.live', tables, crypto }),
    publishWriterKind(tables),
    sinkStub(written, () => made?.sinkFails === true),
    seedKind,
  ];
  const simulation = await startSimulation({
    seed: 1,
    shards: 0,
    serviceHosts: [{ name: 'service', kinds: kinds.map(({ name }) => name) }],
    kinds: kinds as never,
  });
  made = new Fleet(simulation, written);
  return made;
}

const one = {
  'modules/web.vgo': 'name: web\nresources:\n  - {type: file, target_path: /etc/web, content: a}\n',
  'site.vgo': 'envoys:\n  - {match: "web-*", modules: [web]}\n',
};
const two = {
  ...one,
  'modules/web.vgo': one['modules/web.vgo'].replace('content: a', 'content: b'),
};

t.test('a published stack reaches the envoys that it is for', async (t) => {
  const it = await fleet();
  await it.add('a', 'web-1');
  await it.add('b', 'web-2');
  await it.add('c', 'db-1');
  await it.add('d', 'web-3', true);
  await it.stack(one);
  const result = await it.publish('first');
  t.match(result, { version: 1, changed: true, changedEnvoys: 3, totalEnvoys: 3, bundles: 2 });
  t.equal(it.version(), 1);
  t.same(it.modules('a'), ['web']);
  t.same(it.modules('c'), [], 'no entry matches: nothing is enforced');
  t.equal(it.modules('d'), undefined, 'revoked');
  const [{ records, audit }] = it.written as [Written];
  t.match(records[0], { record: 'policyVersion', version: 1, message: 'first', changedEnvoys: 3 });
  t.match(audit[0], { type: 'policy.published', actor: 'admin:ann' });
});

t.test('publishing the same files again makes no version', async (t) => {
  const it = await fleet();
  await it.add('a', 'web-1');
  await it.stack(one);
  await it.publish();
  t.match(await it.publish(), { version: 1, changed: false, changedEnvoys: 0 });
  t.equal(it.written.length, 1);
  await it.stack(two);
  t.match(await it.publish(), { version: 2, changed: true, changedEnvoys: 1 });
});

t.test('a stack with mistakes changes nothing and says where they are', async (t) => {
  const it = await fleet();
  await it.add('a', 'web-1');
  await it.stack(one);
  await it.publish();
  await it.stack({ ...one, 'modules/bad.vgo': 'name: bad\nresources:\n  - {type: fiel}\n' });
  const error = await it.publish().then(
    () => undefined,
    (cause: unknown) => cause as { code: string; details: { diagnostics: string } },
  );
  t.equal(error?.code, 'PUBLISH_INVALID');
  const diagnostics = JSON.parse(error!.details.diagnostics) as Diagnostic[];
  t.match(diagnostics, [{ code: 'PUBLISH_UNKNOWN_TYPE', suggestion: 'file', line: 3 }]);
  t.equal(it.version(), 1);
  t.same(it.modules('a'), ['web']);
  t.match(it.written[1]?.audit[0], { type: 'policy.refused' });
});

t.test('a new envoy gets the policy in force', async (t) => {
  const it = await fleet();
  await it.assign('a', 'web-1');
  t.same(it.modules('a'), [], 'nothing published yet');
  await it.stack(one);
  await it.publish();
  await it.assign('b', 'WEB-2');
  t.same(it.modules('b'), ['web']);
});

t.test('after the store was lost, the live policy is in force again', async (t) => {
  const it = await fleet();
  await it.stack(one);
  await it.publish();
  t.match(await it.recover(), { version: 1, rebuilt: false });
  const next = await fleet();
  await next.add('a', 'web-1');
  await copyHome(it, next);
  t.match(await next.recover(), { version: 1, rebuilt: true });
  t.equal(next.version(), 1);
  t.same(next.modules('a'), ['web']);
});

t.test(
  'whatever write fails, the previous policy stays in force and the next publish works',
  async (t) => {
    for (let nth = 1; ; nth += 1) {
      const it = await fleet();
      await it.add('a', 'web-1');
      await it.stack(one);
      await it.publish();
      const before = it.simulation.reader('service').get(tables.assignments, 'a');
      await it.stack(two);
      it.simulation.disk.failNth = nth;
      const failed = await it.publish().then(
        () => false,
        (error: unknown) => {
          t.match(error, { code: /^PUBLISH_(DISK|INVALID)$/ }, `failure ${nth} is coded`);
          return true;
        },
      );
      it.simulation.disk.failNth = 0;
      if (failed) {
        t.equal(it.version(), 1);
        t.same(it.simulation.reader('service').get(tables.assignments, 'a'), before);
        t.match(await it.recover(), { version: 1 });
        const { version } = await it.publish();
        t.ok(version > 1);
        t.equal(it.version(), version);
      } else if (it.version() === 2) {
        t.ok(nth > 5, `${nth - 1} points of failure`);
        break;
      }
    }
  },
);

t.test('a damaged live copy is refused, and repaired by the next publish', async (t) => {
  for (const damage of ['version.json', 'reserved.json', 'file']) {
    const it = await fleet();
    await it.stack(one);
    await it.publish();
    const next = await fleet();
    await copyHome(it, next);
    await next.add('a', 'web-1');
    const { disk } = next.simulation;
    const [hash] = (await disk.list('/home/.live')).filter((name) => !name.endsWith('.json'));
    const path = damage === 'file' ? `${hash}/modules/web.vgo` : damage;
    await disk.writeDurable(`/home/.live/${path}`, new TextEncoder().encode('{'));
    if (damage !== 'reserved.json') {
      await t.rejects(next.recover(), { code: 'PUBLISH_LIVE_DAMAGED' }, damage);
    }
    await next.stack(one);
    t.match(await next.publish(), { version: 2, changed: true });
    t.same(next.modules('a'), ['web']);
  }
});

t.test('without the sink nothing is published', async (t) => {
  const it = await fleet();
  await it.stack(one);
  it.sinkFails = true;
  await t.rejects(it.publish());
  t.equal(it.version(), 0);
  it.sinkFails = false;
  t.match(await it.publish(), { changed: true });
});

t.test('a fleet larger than one turn can write is published whole', async (t) => {
  const it = await fleet();
  const { system } = it.simulation;
  const ids = Array.from({ length: 5200 }, (_, index) => `envoy-${String(index).padStart(5, '0')}`);
  const rows = ids.map((envoyId) => ({ envoyId, hostname: 'web-1', revoked: false }));
  await it.simulation.until(system.ask(seedAddress, 'add', rows, deadline));
  await it.stack(one);
  t.match(await it.publish(), { changedEnvoys: 5200 });
  t.same(it.modules(ids[5199]!), ['web']);
});

async function copyHome(from: Fleet, to: Fleet): Promise<void> {
  const copy = async (path: string): Promise<void> => {
    const names = await from.simulation.disk.list(path);
    if (names.length === 0) {
      const content = await from.simulation.disk.read(path).catch(() => undefined);
      if (content !== undefined) await to.simulation.disk.writeDurable(path, content);
    }
    for (const name of names) await copy(`${path}/${name}`);
  };
  await copy('/home/.live');
}
