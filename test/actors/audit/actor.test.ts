/**
 * What is lost when this fails: every event makes a checkpoint that the whole fleet must fetch, a
 * forged cosignature counts as a witness, or a database that is full ends the audit actor.
 */
import t from 'tap';
import { auditKind } from '../../../actors/audit/actor.ts';
import { auditAddress, witnessLimit } from '../../../actors/audit/messages.ts';
import { auditTables } from '../../../actors/audit/tables.ts';
import { ServerError } from '../../../actors/errors.ts';
import { policyTables } from '../../../actors/policy/tables.ts';
import { sinkKind } from '../../../actors/sink/actor.ts';
import { sinkAddress } from '../../../actors/sink/messages.ts';
import { nodeSigner, nodeVerifier } from '../../../agent/platform/crypto.ts';
import { cosign } from '../../../agent/protocol/transparency/checkpoint.ts';
import { parseNote } from '../../../agent/protocol/transparency/note.ts';
import type { ActorKind } from '../../../runtime/actor.ts';
import { bytesCodec, msgpackCodec } from '../../../runtime/codecs.ts';
import { Simulation } from '../../../runtime/simulate/simulation.ts';
import { auditEvent, envoyIdOf, testSink } from '../support/sink.ts';

const intervalMs = 10_000;
const tables = policyTables(msgpackCodec, bytesCodec);
const witness = nodeSigner(new Uint8Array(32).fill(3));
const stranger = nodeSigner(new Uint8Array(32).fill(4));

type SeedMessages = { seed: { payload: { envoys: number }; reply: undefined } };

/** Puts identities into the store that the audit actor reads. */
const seedKind: ActorKind<undefined, SeedMessages> = {
  name: 'seed',
  placement: 'service',
  mailboxLimit: 10,
  idleAfterMs: 0,
  restart: { maxRestarts: 1, withinMs: 1000 },
  activate: () => undefined,
  handlers: {
    seed: (turn, { envoys }) => {
      const publicKey = Uint8Array.from(witness.publicKey);
      const row = { hostname: 'h', publicKey, revoked: false, settledReportSequence: 0 };
      for (let envoy = 0; envoy < envoys; envoy++)
        turn.put(tables.identities, envoyIdOf(envoy), row);
      return undefined;
    },
  },
};

async function started(t: { teardown(run: () => void): void }) {
  const { writer } = testSink(t);
  const said: string[] = [];
  const shown = auditTables(msgpackCodec);
  const audit = auditKind({
    log: writer.auditLog,
    tables: shown,
    identities: tables.identities,
    signer: nodeSigner(new Uint8Array(32).fill(9)),
    verifier: nodeVerifier(),
    intervalMs,
    say: (_level, message) => said.push(message),
  });
  const sink = sinkKind({
    writer,
    outbox: () => undefined,
    trim: () => undefined,
    wake: () => undefined,
    log: () => undefined,
  });
  const simulation = new Simulation({
    seed: 1,
    shards: 0,
    serviceHosts: [{ name: 'service', kinds: ['sink', 'audit', 'seed'] }],
    kinds: [sink, audit, seedKind],
  });
  await simulation.start();
  const happens = async (id: string, type?: string) => {
    const payload = { records: [], audit: [auditEvent(id, type)] };
    simulation.system.tell(sinkAddress(), 'write', payload);
    await simulation.run(100);
  };
  const provenFrom = () =>
    Object.keys(simulation.reader('service').get(shown.proofs, 'current')?.from ?? {});
  return { simulation, log: writer.auditLog, said, happens, provenFrom };
}

t.test('checkpoints come at most twice an interval, and at once with a publish', async (t) => {
  const { simulation, log, happens } = await started(t);
  for (let count = 0; count < 20; count++) await happens(`quick ${count}`);
  t.equal((await log.checkpoints(99)).length, 1, 'the first at once');
  await simulation.run(intervalMs / 2);
  t.same(
    (await log.checkpoints(99)).map(({ size }) => size),
    [20, 1],
    'the others together',
  );
  await happens('publish', 'policy.published');
  t.equal((await log.checkpoints(99))[0]?.size, 21, 'a publish does not wait');
  await simulation.run(10 * intervalMs);
  t.equal((await log.checkpoints(99)).length, 3, 'a log that does not grow has no new ones');
});

t.test('growth behind a timer that came late has its checkpoint, too', async (t) => {
  const { simulation, log, happens } = await started(t);
  const spacingMs = intervalMs / 2;
  const head = log.head.bind(log);
  await happens('first');
  await happens('sets the timer');
  await simulation.run(spacingMs - 500);
  log.head = async () => {
    await new Promise<void>((done) => simulation.system.ports.clock.after(1_000, done));
    return await head();
  };
  // Busy with a slow database while the timer comes, and a growth behind it that is signed with this.
  simulation.system.tell(auditAddress(), 'wanted', { size: 1 });
  await simulation.run(400);
  await happens('behind the timer');
  await simulation.run(2_000);
  log.head = head;
  await happens('last');
  await simulation.run(2 * spacingMs);
  t.equal((await log.checkpoints(1))[0]?.size, 4);
});

t.test('only valid cosignatures are kept, each once, so many and no more', async (t) => {
  const { simulation, log, happens } = await started(t);
  const envoys = witnessLimit + 6;
  simulation.system.tell({ kind: 'seed', key: 'main' }, 'seed', { envoys });
  await happens('first');
  const [checkpoint] = await log.checkpoints(1);
  const { text } = parseNote(checkpoint!.note)!;
  const say = (envoy: number, payload: Uint8Array, size = 1) => {
    const cosignature = { size, envoyId: envoyIdOf(envoy), payload: Uint8Array.from(payload) };
    simulation.system.tell(auditAddress(), 'cosigned', cosignature);
  };
  const valid = cosign(text, 1_900_000_000, witness);
  say(0, cosign(text, 1_900_000_000, stranger));
  say(0, cosign(`${text}x`, 1_900_000_000, witness));
  say(0, new Uint8Array(3));
  say(0, valid, 5);
  say(envoys + 1, valid);
  await simulation.run(2_000);
  t.same(await log.witnesses(1), []);
  for (let envoy = 0; envoy < envoys; envoy++) say(envoy, valid);
  say(0, valid);
  await simulation.run(2_000);
  t.equal((await log.witnesses(1)).length, witnessLimit);
});

t.test('a second log of the same length has witnesses of its own', async (t) => {
  const { simulation, log, happens } = await started(t);
  simulation.system.tell({ kind: 'seed', key: 'main' }, 'seed', { envoys: 2 });
  await happens('first');
  const cosigns = async (envoy: number) => {
    const [newest] = await log.checkpoints(1);
    const { text } = parseNote(newest!.note)!;
    const payload = Uint8Array.from(cosign(text, 1_900_000_000, witness));
    const cosignature = { size: 1, envoyId: envoyIdOf(envoy), payload };
    simulation.system.tell(auditAddress(), 'cosigned', cosignature);
    return payload;
  };
  await cosigns(0);
  await simulation.run(2_000);
  await cosigns(1);
  await simulation.run(100);
  log.head = async () => ({ size: 1, root: new Uint8Array(32).fill(5) });
  simulation.system.tell(auditAddress(), 'grown', { urgent: true });
  await simulation.run(2_000);
  t.same(await log.witnesses(1), [], 'also not what waited to be stored');
  await cosigns(0);
  await simulation.run(2_000);
  t.same(await log.witnesses(1), [envoyIdOf(0)]);
});

t.test('a proof that the database was too busy for comes later', async (t) => {
  const { simulation, log, happens, provenFrom } = await started(t);
  for (const id of ['a', 'b', 'c', 'd']) await happens(id);
  await simulation.run(intervalMs);
  t.same(provenFrom(), ['1']);
  const head = log.head.bind(log);
  log.head = async () => {
    log.head = head;
    throw new ServerError('SINK_LOCKED', {});
  };
  simulation.system.tell(auditAddress(), 'wanted', { size: 3 });
  await simulation.run(60_000);
  t.same(provenFrom(), ['1', '3']);
});

t.test('a full database delays the checkpoint and ends nothing', async (t) => {
  const { simulation, log, said, happens } = await started(t);
  const save = log.saveCheckpoint.bind(log);
  let refusals = 2;
  log.saveCheckpoint = async (checkpoint) => {
    if (refusals-- > 0) throw new ServerError('SINK_DISK_FULL', {});
    await save(checkpoint);
  };
  await happens('a');
  t.same(said, ['the audit log has no new checkpoint']);
  await simulation.run(60_000);
  t.equal((await log.checkpoints(9)).length, 1);
});
