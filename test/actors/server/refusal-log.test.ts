import t from 'tap';
import type { AuditEvent } from '../../../actors/audit/event.ts';
import { refusalKindLimit } from '../../../actors/server/endpoint/limits.ts';
import { RefusalLog } from '../../../actors/server/endpoint/refusal-log.ts';
import type { OutboxWriterMessages } from '../../../actors/sink/outbox-writer.ts';
import { nodePorts } from '../../../runtime/ports/node-ports.ts';

function logWith(): { log: RefusalLog; events: AuditEvent[] } {
  const events: AuditEvent[] = [];
  const tell = (_to: unknown, _type: string, payload: unknown) => {
    const { events: written } = payload as OutboxWriterMessages['write']['payload'];
    events.push(...written.map(({ body }) => body as AuditEvent));
  };
  const ask = async (to: unknown, type: string, payload: unknown) => {
    await Promise.resolve();
    tell(to, type, payload);
    return undefined as never;
  };
  const system = { ports: nodePorts(), tell, ask };
  return { log: new RefusalLog(system, 'shard-0'), events };
}

const replay = {
  code: 'REQUEST_REPLAYED',
  message: '',
  envoyId: 'e1',
  peer: '10.0.0.1:1',
  traceparent: '',
};

t.test('a flood of one kind becomes one audit event that says how many', async (t) => {
  const { log, events } = logWith();
  for (let count = 0; count < 1000; count++) log.add({ ...replay, peer: `10.0.0.1:${count}` });
  log.flush();
  t.equal(events.length, 1);
  t.match(events[0], { type: 'request.replayed', subject: 'e1', details: { count: 1000 } });
  log.flush();
  t.equal(events.length, 1, 'nothing is told twice');
});

t.test(
  'a flood from everywhere cannot fill the disk either, and nothing goes uncounted',
  async (t) => {
    const { log, events } = logWith();
    const total = refusalKindLimit + 5000;
    for (let count = 0; count < total; count++) {
      log.add({ ...replay, envoyId: undefined, peer: `10.0.${count >> 8}.${count & 255}:7` });
    }
    log.flush();
    t.equal(events.length, refusalKindLimit + 1);
    const counted = events.reduce((sum, { details }) => sum + Number(details.count), 0);
    t.equal(counted, total);
    t.ok(events.some(({ subject }) => subject === 'others'));
  },
);

t.test('what is no security matter stays out of the audit log', async (t) => {
  const { log, events } = logWith();
  log.add({ ...replay, code: 'REQUEST_OVERLOADED' });
  log.flush();
  t.same(events, []);
});

t.test('a stop waits until the last refusals are stored', async (t) => {
  const { log, events } = logWith();
  log.add(replay);
  await log.settle();
  t.equal(events.length, 1);
  const broken = { ports: nodePorts(), tell: () => undefined, ask: () => Promise.reject(Error()) };
  await t.resolves(new RefusalLog(broken, 'shard-0').settle(), 'and is never prevented by them');
});
