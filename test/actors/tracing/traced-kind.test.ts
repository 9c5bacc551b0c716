import t from 'tap';
import { ServerError } from '../../../actors/errors.ts';
import type { SpanRecord } from '../../../actors/tracing/messages.ts';
import { tracedKind } from '../../../actors/tracing/traced-kind.ts';
import { Tracer } from '../../../actors/tracing/tracer.ts';
import type { AnyKind } from '../../../runtime/host.ts';
import { nodePorts } from '../../../runtime/ports/node-ports.ts';
import { RefusalSignal } from '../../../runtime/turn.ts';

const traceId = 'a'.repeat(32);
const caller = `00-${traceId}-${'b'.repeat(16)}-01`;

type Handlers = Record<string, (turn: never, payload: never) => unknown>;

/** A kind with these handlers, and what its spans became. */
function traced(name: string, handlers: Handlers) {
  const spans: SpanRecord[] = [];
  const tracer = new Tracer(nodePorts(), (span) => spans.push(span));
  const kind = { name, handlers } as unknown as AnyKind;
  const made = tracedKind(tracer, kind);
  const run = (type: string, traceparent: string | undefined) => {
    const turn = {
      traceparent,
      continueTrace(own: string) {
        this.traceparent = own;
      },
    };
    const result = made.handlers[type]?.(turn as never, {} as never);
    return { turn, result };
  };
  return { spans, kind, made, run };
}

t.test(
  'a turn is a step of the request that caused it, and those it asks are its own',
  async (t) => {
    const { spans, run } = traced('publish', { publish: async () => ({ version: 7 }) });
    const { turn, result } = run('publish', caller);
    t.same(await result, { version: 7 });
    const [span] = spans;
    t.match(span, {
      traceId,
      parentSpanId: 'b'.repeat(16),
      name: 'publish/publish',
      kind: 'internal',
      attributes: { 'vigo.actor.kind': 'publish', 'vigo.policy.version': 7 },
    });
    t.equal(turn.traceparent, `00-${traceId}-${span?.spanId}-01`);
  },
);

t.test(
  'an answer that is there at once stays one: the engine treats a promise otherwise',
  async (t) => {
    const { spans, run } = traced('rollout', { pause: () => 1 });
    t.equal(run('pause', caller).result, 1);
    t.equal(spans.length, 1);
  },
);

t.test('what was refused says so by its code, and reaches the asker as it was', async (t) => {
  const refusal = new RefusalSignal(new ServerError('ROLLOUT_NONE'));
  const { spans, run } = traced('publish', {
    refused: () => {
      throw refusal;
    },
    failed: async () => {
      throw new ServerError('ROLLOUT_NONE');
    },
    broken: async () => {
      throw new Error('nobody knows');
    },
  });
  t.throws(() => run('refused', caller));
  await t.rejects(run('failed', caller).result as Promise<unknown>, { code: 'ROLLOUT_NONE' });
  await t.rejects(run('broken', caller).result as Promise<unknown>, { message: 'nobody knows' });
  t.same(
    spans.map(({ failure }) => failure),
    ['ROLLOUT_NONE', 'ROLLOUT_NONE', '_OTHER'],
  );
});

t.test('nothing is recorded that nobody traces', async (t) => {
  const { spans, run } = traced('publish', { status: () => 1, changeRollout: () => 1 });
  run('status', undefined);
  run('status', caller.replace(/01$/, '00'));
  run('status', 'no trace');
  t.same(spans, []);
  run('changeRollout', undefined);
  t.match(spans, [{ name: 'publish/changeRollout' }], 'what a rollout orders by itself is');
  t.equal(spans[0]?.parentSpanId, undefined);
});

t.test('what serves every check-in stays as it was', async (t) => {
  for (const name of ['sink', 'audit', 'envoy', 'secrets', 'secret-sealer']) {
    const { kind, made } = traced(name, {});
    t.equal(made, kind, name);
  }
});
