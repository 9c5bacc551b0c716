import type { Turn } from '../../runtime/actor.ts';
import type { AnyKind } from '../../runtime/host.ts';
import { RefusalSignal } from '../../runtime/turn.ts';
import { codeOf } from '../errors.ts';
import type { SpanAttributes } from './messages.ts';
import type { SpanEnd, Tracer } from './tracer.ts';

/** Kinds whose turns are steps that people wait for. The sink and the audit log serve all others, all the time. */
const tracedKinds: ReadonlySet<string> = new Set([
  'publish',
  'publish-writer',
  'plan',
  'rollout',
  'upload',
  'accounts',
  'login',
  'federation',
  'access',
  'enrollment',
  'releases',
  'backup',
]);

/** Turns that begin a trace when nobody asked for them: what a rollout orders by itself. */
const roots: ReadonlySet<string> = new Set(['publish/changeRollout']);

/** What OpenTelemetry calls an error that has no name of its own. */
const unknownFailure = '_OTHER';

type Handler = (turn: Turn<unknown>, payload: unknown) => unknown;

/** The kinds, with a span for each turn that belongs to a trace; those that are not traced stay as they are. */
export function tracedKind(tracer: Tracer, kind: AnyKind): AnyKind {
  if (!tracedKinds.has(kind.name)) return kind;
  const handlers = Object.entries(kind.handlers).map(([type, handle]) => [
    type,
    traced(tracer, kind.name, type, handle as Handler),
  ]);
  return { ...kind, handlers: Object.fromEntries(handlers) as AnyKind['handlers'] };
}

function traced(tracer: Tracer, kind: string, type: string, handle: Handler): Handler {
  const name = `${kind}/${type}`;
  const isRoot = roots.has(name);
  const attributes = { 'vigo.actor.kind': kind, 'vigo.actor.message': type };
  return (turn, payload) => {
    const { traceparent } = turn;
    if (traceparent === undefined && !isRoot) return handle(turn, payload);
    const span = tracer.begin(traceparent, { name, kind: 'internal', attributes });
    if (span === undefined) return handle(turn, payload);
    turn.continueTrace(span.traceparent);
    return finish(
      () => handle(turn, payload),
      (how) => span.end(how),
    );
  };
}

/** Keeps an answer that is there at once what it is: the engine treats a promise otherwise. */
function finish(run: () => unknown, end: (how: SpanEnd) => void): unknown {
  let result: unknown;
  try {
    result = run();
  } catch (error) {
    end({ failure: failureOf(error) });
    throw error;
  }
  if (!(result instanceof Promise)) {
    end({ attributes: attributesOf(result) });
    return result;
  }
  return result.then(
    (value: unknown) => {
      end({ attributes: attributesOf(value) });
      return value;
    },
    (error: unknown) => {
      end({ failure: failureOf(error) });
      throw error;
    },
  );
}

function failureOf(error: unknown): string {
  return codeOf(error instanceof RefusalSignal ? error.error : error) || unknownFailure;
}

/** Which policy version the work was about, when its answer says so. */
function attributesOf(answer: unknown): SpanAttributes {
  if (typeof answer !== 'object' || answer === null || !('version' in answer)) return {};
  const { version } = answer;
  return typeof version === 'number' ? { 'vigo.policy.version': version } : {};
}
