import t, { type Test } from 'tap';
import type { Address } from '../../runtime/actor.ts';
import {
  type CounterMessages,
  type CounterRow,
  fleetCounterAddress,
  serviceCounterAddress,
} from './fixtures/kinds.ts';
import { codeOf, settles, type World } from './fixtures/world.ts';

const deadline = { deadlineMs: 20_000 };

class Contract {
  readonly world: World;

  constructor(world: World) {
    this.world = world;
  }

  ask<T extends keyof CounterMessages & string>(
    to: Address<CounterMessages>,
    type: T,
    payload: CounterMessages[T]['payload'],
    deadlineMs = deadline.deadlineMs,
  ): Promise<CounterMessages[T]['reply']> {
    return this.world.run(this.world.system.ask(to, type, payload, { deadlineMs }));
  }

  read(to: Address<CounterMessages>): Promise<CounterRow> {
    return this.ask(to, 'read', undefined);
  }

  async claimed(shard: string, key: string): Promise<Address<CounterMessages>> {
    const address = fleetCounterAddress(key);
    await this.world.run(this.world.claim(shard, address));
    return address;
  }

  notesReach(to: Address<CounterMessages>, count: number): Promise<CounterRow | undefined> {
    return settles(
      this.world,
      () => this.world.system.ask(to, 'read', undefined, deadline),
      ({ notes }) => notes.length >= count,
    );
  }
}

type Check = (t: Test, c: Contract) => Promise<void>;

const checks: Record<string, Check> = {
  'an answer comes back and the state outlives passivation': async (t, c) => {
    const fleet = await c.claimed('shard-0', 'state');
    t.equal(await c.ask(fleet, 'add', 2), 2);
    t.equal(await c.ask(fleet, 'add', 3), 5);
    t.equal(await c.ask(serviceCounterAddress('state'), 'addDurable', 4), 4);
  },

  'messages of one sender arrive in the order of sending': async (t, c) => {
    const fleet = await c.claimed('shard-1', 'order');
    const texts = Array.from({ length: 40 }, (_, index) => String(index));
    for (const text of texts) c.world.system.tell(fleet, 'note', text);
    const row = await c.notesReach(fleet, texts.length);
    t.same(row?.notes, texts);
  },

  'a turn that throws keeps nothing, also not its messages': async (t, c) => {
    const fleet = await c.claimed('shard-0', 'throws');
    await c.ask(fleet, 'add', 1);
    t.equal(await codeOf(c.ask(fleet, 'addThenThrow', 10)), 'RUNTIME_ACTOR_FAILED');
    const to = await c.claimed('shard-1', 'throws-to');
    const relayed = c.ask(fleet, 'relayThenThrow', { to, text: 'never' });
    t.equal(await codeOf(relayed), 'RUNTIME_ACTOR_FAILED');
    t.equal(await c.ask(fleet, 'add', 1), 2, 'activated again from what was committed');
    await c.world.pass(300);
    t.same((await c.read(to)).notes, []);
  },

  'a refusal reaches the asker with its code; refuse() keeps what was staged': async (t, c) => {
    const service = serviceCounterAddress('refuses');
    for (let times = 0; times < 6; times += 1) {
      t.equal(await codeOf(c.ask(service, 'refuse', 5)), 'TEST_REFUSED', 'never parked');
    }
    t.equal((await c.read(service)).value, 0);
    t.equal(await codeOf(c.ask(service, 'refuseKeeping', 7)), 'TEST_REFUSED');
    t.equal((await c.read(service)).value, 7);
  },

  'an actor that fails too often is parked and reported, its neighbours live': async (t, c) => {
    const service = serviceCounterAddress('parks');
    const codes: string[] = [];
    for (let times = 0; times < 5; times += 1) {
      codes.push(await codeOf(c.ask(service, 'addThenThrow', 1)));
    }
    t.same(codes, [...Array<string>(4).fill('RUNTIME_ACTOR_FAILED'), 'RUNTIME_ACTOR_PARKED']);
    await settles(
      c.world,
      async () =>
        c.world.events.some(({ type, key }) => type === 'actor.parked' && key === 'parks'),
      (seen) => seen,
    );
    t.match(
      c.world.events.filter(({ key }) => key === 'parks').map(({ type }) => type),
      ['actor.restarted', 'actor.restarted', 'actor.restarted', 'actor.parked'],
    );
    t.equal(await c.ask(serviceCounterAddress('neighbour'), 'add', 1), 1);
  },

  'a full mailbox refuses with its code and loses nothing that it took': async (t, c) => {
    const service = serviceCounterAddress('full');
    const { system } = c.world;
    const slow = system.ask(service, 'slow', 100, deadline);
    const adds = Array.from({ length: 12 }, () => system.ask(service, 'add', 1, deadline));
    const codes = await c.world.run(Promise.all(adds.map(codeOf)));
    await c.world.run(slow);
    const taken = codes.filter((code) => code === 'resolved').length;
    t.ok(codes.includes('RUNTIME_MAILBOX_FULL'), 'some were refused');
    t.equal((await c.read(service)).value, taken);
  },

  'a question ends at its deadline': async (t, c) => {
    const service = serviceCounterAddress('deadline');
    t.equal(await codeOf(c.ask(service, 'slow', 400, 30)), 'RUNTIME_DEADLINE');
  },

  'what cannot be delivered is refused with a code': async (t, c) => {
    const nobody = { kind: 'service-counter', key: 'x' } as Address<{
      unheard: { payload: undefined; reply: undefined };
    }>;
    const unheard = c.world.run(c.world.system.ask(nobody, 'unheard', undefined, deadline));
    t.equal(await codeOf(unheard), 'RUNTIME_UNKNOWN_MESSAGE');
    t.equal(await codeOf(c.ask(fleetCounterAddress('nowhere'), 'add', 1)), 'RUNTIME_NOT_PLACED');
  },

  'a fleet actor follows its claims with its rows, soft writes and timers': async (t, c) => {
    const fleet = await c.claimed('shard-0', 'moves');
    await c.ask(fleet, 'add', 1);
    await c.ask(fleet, 'addSoon', 10);
    const atMs = c.world.system.ports.clock.nowMs() + 500;
    await c.ask(fleet, 'wakeAt', { atMs, text: 'woken' });
    await c.claimed('shard-1', 'moves');
    t.equal(await c.ask(fleet, 'add', 100), 111);
    await c.claimed('shard-0', 'moves');
    t.equal(await c.ask(fleet, 'add', 1_000), 1_111);
    t.same((await c.notesReach(fleet, 1))?.notes, ['woken']);
    await c.world.run(c.world.release('shard-0', fleet));
    t.equal(await codeOf(c.ask(fleet, 'add', 1)), 'RUNTIME_NOT_PLACED');
    t.ok(c.world.events.some(({ type, key }) => type === 'claim.lost' && key === 'moves'));
  },

  'what waits for a fleet actor when it moves is refused with the reason': async (t, c) => {
    const fleet = await c.claimed('shard-0', 'taken');
    const slow = c.world.system.ask(fleet, 'slow', 150, deadline);
    const waiting = codeOf(c.world.system.ask(fleet, 'add', 1, deadline));
    await c.world.pass(30);
    await c.claimed('shard-1', 'taken');
    t.equal(await c.world.run(slow), 0, 'the turn under way was finished');
    t.equal(await c.world.run(waiting), 'RUNTIME_CLAIM_LOST');
    t.equal((await c.read(fleet)).value, 0);
  },

  'mail waits for its receiver and arrives': async (t, c) => {
    const to = fleetCounterAddress('mailed');
    await c.ask(serviceCounterAddress('mails'), 'post', { to, text: 'one' });
    await c.ask(serviceCounterAddress('mails'), 'post', { to, text: 'two' });
    t.equal(await codeOf(c.ask(to, 'read', undefined)), 'RUNTIME_NOT_PLACED');
    await c.claimed('shard-1', 'mailed');
    t.same((await c.notesReach(to, 2))?.notes, ['one', 'two']);
  },

  'a turn is stored whole or not at all': async (t, c) => {
    const service = serviceCounterAddress('whole');
    await c.ask(service, 'add', 1);
    t.equal(await codeOf(c.ask(service, 'overfill', undefined)), 'RUNTIME_COMMIT_FAILED');
    t.equal(await c.ask(service, 'add', 1), 2);
  },

  'actors ask and tell each other across threads, with their trace': async (t, c) => {
    const fleet = await c.claimed('shard-0', 'asked');
    await c.ask(fleet, 'add', 9);
    const service = serviceCounterAddress('asker');
    t.equal(await c.ask(service, 'askOther', { to: fleet, deadlineMs: 5_000 }), 9);
    await c.ask(service, 'relay', { to: fleet, text: 'told' });
    t.same((await c.notesReach(fleet, 1))?.notes, ['told']);
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const asked = c.world.system.ask(fleet, 'trace', undefined, { ...deadline, traceparent });
    t.equal(await c.world.run(asked), traceparent);
  },

  'a shard that dies is replaced; others go on; mail comes again': async (t, c) => {
    const fleet = await c.claimed('shard-0', 'dies');
    const other = await c.claimed('shard-1', 'lives');
    await c.ask(fleet, 'addDurable', 5);
    const waiting = c.world.system.ask(fleet, 'slow', 60_000, { deadlineMs: 120_000 });
    const ended = codeOf(c.world.run(waiting));
    await c.world.pass(50);
    await c.ask(serviceCounterAddress('survivor'), 'post', { to: fleet, text: 'again' });
    await c.world.kill('shard-0');
    t.equal(await ended, 'RUNTIME_THREAD_GONE');
    t.equal(await c.ask(other, 'add', 1), 1);
    const claimed = await settles(
      c.world,
      () => c.world.claim('shard-0', fleet).then(() => true),
      (done) => done,
    );
    t.equal(claimed, true);
    t.same((await c.notesReach(fleet, 1))?.notes, ['again']);
    t.equal((await c.read(fleet)).value, 5);
    const types = c.world.events.filter((e) => e.thread === 'shard-0').map((e) => e.type);
    t.ok(types.includes('thread.crashed') && types.includes('thread.replaced'));
  },

  'a timer set by the turn right behind the one that it fired is kept': async (t, c) => {
    const service = serviceCounterAddress('again');
    const { clock } = c.world.system.ports;
    await c.ask(service, 'slowAt', { atMs: clock.nowMs() + 20, forMs: 300 });
    await c.world.pass(120);
    await c.ask(service, 'wakeAt', { atMs: clock.nowMs() + 400, text: 'woken' });
    t.same((await c.notesReach(service, 1))?.notes, ['woken']);
  },

  'a service host that dies is replaced with its timers': async (t, c) => {
    const service = serviceCounterAddress('timed');
    await c.ask(service, 'addDurable', 3);
    const atMs = c.world.system.ports.clock.nowMs() + 700;
    await c.ask(service, 'wakeAt', { atMs, text: 'woken' });
    await c.ask(service, 'addDurable', 0);
    await c.world.kill('service-0');
    const row = await c.notesReach(service, 1);
    t.same(row, { value: 3, notes: ['woken'] });
    t.ok(c.world.system.ports.clock.nowMs() >= atMs, 'not early');
  },
};

/** Every promise of runtime/actor.ts, on whatever carries it. */
export function testContract(name: string, start: () => Promise<World>): void {
  t.test(name, async (t) => {
    const world = await start();
    t.teardown(() => world.stop());
    for (const [promise, check] of Object.entries(checks)) {
      await t.test(promise, (t) => check(t, new Contract(world)));
    }
  });
}
