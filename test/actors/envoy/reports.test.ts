import t from 'tap';
import { EnvoyRecord } from '../../../actors/envoy/record.ts';
import {
  decideReport,
  firstRecord,
  recordCheckIn,
  settledForAnswer,
} from '../../../actors/envoy/rules.ts';
import { CheckInRequest } from '../../../agent/protocol/gen/vigo/v1/agent.ts';
import { fc } from '../../support/property.ts';
import { emptyOf } from '../../support/test-envoy.ts';

/** The server's side of one envoy: hot record, outbox and database. */
class Server {
  storeId = 1;
  outbox: number[] = [];
  readonly database: number[] = [];
  record = this.fresh();

  fresh(): EnvoyRecord {
    const settledReportSequence = Math.max(0, ...(this.database ?? []));
    return firstRecord(EnvoyRecord.empty(), {
      hostname: 'h',
      publicKey: new Uint8Array(32),
      revoked: false,
      settledReportSequence,
    });
  }

  report(sequence: number): number {
    if (decideReport(this.record, sequence) === 'keep') {
      this.record.durableReportSequence = sequence;
      this.outbox.push(sequence);
    }
    return this.record.durableReportSequence;
  }

  sink(): void {
    for (const sequence of this.outbox.splice(0)) {
      if (!this.database.includes(sequence)) this.database.push(sequence);
      this.record.settledReportSequence = Math.max(this.record.settledReportSequence, sequence);
    }
  }

  /** The state directory is deleted; what was in the outbox only is gone from here. */
  loseState(): void {
    this.outbox = [];
    this.storeId += 1;
    this.record = this.fresh();
  }
}

/** The agent as the protocol describes it. */
class Agent {
  created = 0;
  held: number[] = [];
  acknowledged = 0;
  storeId = 0;
  /** Reports that died with the agent's own disk. */
  readonly lost = new Set<number>();

  create(): void {
    this.created += 1;
    this.held.push(this.created);
  }

  checkIn(server: Server): void {
    const body = {
      ...emptyOf(CheckInRequest),
      reportSequence: this.created,
      oldestReportSequence: this.held[0] ?? this.created + 1,
    };
    recordCheckIn(server.record, body, 1);
    this.#hear(server);
    const settled = settledForAnswer(server.record);
    this.held = this.held.filter((sequence) => sequence > settled);
    this.created = Math.max(this.created, settled);
  }

  send(server: Server): void {
    const next = this.held.find((sequence) => sequence > this.acknowledged);
    if (next === undefined) return;
    this.acknowledged = server.report(next);
    this.#hear(server);
  }

  loseQueue(): void {
    for (const sequence of this.held) if (sequence > this.acknowledged) this.lost.add(sequence);
    this.held = [];
  }

  loseEverything(): void {
    this.loseQueue();
    this.created = 0;
    this.acknowledged = 0;
    this.storeId = 0;
  }

  #hear(server: Server): void {
    if (server.storeId !== this.storeId) this.acknowledged = 0;
    this.storeId = server.storeId;
  }
}

const steps = fc.array(
  fc.constantFrom('create', 'checkIn', 'send', 'send', 'sink', 'resend', 'loseState', 'loseQueue'),
  { maxLength: 60 },
);

t.test(
  'no acknowledged report is lost, whichever side forgets what, and none is kept twice',
  async () => {
    fc.assert(
      fc.property(steps, (history) => {
        const server = new Server();
        const agent = new Agent();
        const acknowledged = new Set<number>();
        const note = () => {
          for (let sequence = 1; sequence <= agent.acknowledged; sequence++) {
            if (!agent.lost.has(sequence)) acknowledged.add(sequence);
          }
        };
        for (const step of history) {
          if (step === 'create') agent.create();
          else if (step === 'checkIn') agent.checkIn(server);
          else if (step === 'send') agent.send(server);
          else if (step === 'sink') server.sink();
          else if (step === 'resend' && agent.held[0]) server.report(agent.held[0]);
          else if (step === 'loseState' && agent.lost.size === 0) server.loseState();
          else if (step === 'loseQueue' && server.storeId === 1) {
            server.sink();
            agent.loseQueue();
          }
          note();
        }
        for (let round = 0; round < agent.created + 2; round++) {
          agent.checkIn(server);
          agent.send(server);
          server.sink();
        }
        const missing = [...acknowledged].filter((sequence) => !server.database.includes(sequence));
        return missing.length === 0 && new Set(server.database).size === server.database.length;
      }),
      { numRuns: 2000 },
    );
  },
);

t.test('a machine that lost its memory goes on above what the server holds', async (t) => {
  const server = new Server();
  const agent = new Agent();
  for (let index = 0; index < 5; index++) {
    agent.create();
    agent.checkIn(server);
    agent.send(server);
  }
  server.sink();
  agent.loseEverything();
  agent.create();
  agent.checkIn(server);
  t.equal(agent.created, 5, 'it is told the highest number that is taken');
  agent.create();
  agent.send(server);
  server.sink();
  t.same(server.database, [1, 2, 3, 4, 5, 6]);
});
