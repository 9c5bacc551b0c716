import { methods, register } from '../../../agent/protocol/methods.ts';
import type { Clock, TimerHandle } from '../../../runtime/ports/clock.ts';
import type { Connection } from './connections.ts';
import {
  answerHead,
  answerTrailers,
  framedMessage,
  notGrpc,
  plainRefusalHead,
  refusalHead,
} from './grpc-answers.ts';
import { BodyBudget, MessageReader, overloaded } from './grpc-call.ts';
import { grpcStatus } from './grpc-status.ts';
import { sweepMs } from './http2/limits.ts';
import { HeadReader } from './http2/request-head.ts';
import { Session } from './http2/session.ts';
import type { BodySink, Stream } from './http2/stream.ts';
import type { RefusedCall } from './refusals.ts';

/** An answer on its way out: encoded, or a refusal; with the trace that it belongs to. */
export type Outcome = Uint8Array | { readonly refused: RefusedCall; readonly traceparent: string };

/** Serves one method: the request as it came, and the connection that it came on. Never rejects. */
export type Serve = (request: Buffer, connection: Connection) => Promise<Outcome>;

export interface GrpcEndpoint {
  inject(connection: Connection): void;
  /** Tells the peers to go; calls under way end. */
  drain(): void;
  close(): void;
}

interface Method {
  readonly name: string;
  readonly requestLimit: number;
  readonly serve: Serve;
}

/** Hears of each call before it is served. */
export type OnCall = (method: string) => void;

/** Hears of a peer that broke the protocol. */
export type OnBroken = (connection: Connection, reason: string) => void;

/**
 * The agents' service on connections that were accepted elsewhere: unary gRPC on our own HTTP/2
 * (docs/decisions/0032). Requests and answers are bytes here, so that each method applies its own
 * limits and refuses in its own words.
 */
export function createGrpcEndpoint(
  serve: Readonly<Record<string, Serve>>,
  clock: Clock,
  onBroken: OnBroken,
  unfinishedLimit: number,
  onCall: OnCall = () => undefined,
): GrpcEndpoint {
  const budget = new BodyBudget(unfinishedLimit);
  const calls = { served: methodsOf(serve), budget, onCall };
  const sessions = new Set<Session<Connection>>();
  const host = {
    heads: new HeadReader(),
    open: (stream: Stream, connection: Connection) => openCall(calls, stream, connection),
    broken: onBroken,
  };
  let timer: TimerHandle;
  const sweep = (): void => {
    for (const session of sessions) session.sweep();
    timer = clock.after(sweepMs, sweep, { unref: true });
  };
  timer = clock.after(sweepMs, sweep, { unref: true });
  return {
    inject: (connection) => {
      const { socket } = connection;
      const session = new Session(socket, connection, host);
      sessions.add(session);
      socket.readBy(session);
      socket.onceClosed(() => {
        sessions.delete(session);
        session.end();
      });
    },
    drain: () => {
      for (const session of sessions) session.drain();
    },
    close: () => timer.cancel(),
  };
}

/** By path. */
function methodsOf(serve: Readonly<Record<string, Serve>>): ReadonlyMap<string, Method> {
  return new Map(
    Object.entries({ Register: register, ...methods }).map(([name, { path, requestLimit }]) => {
      const method = serve[path];
      if (method === undefined) throw new Error(`no implementation of ${path}`);
      return [path, { name, requestLimit, serve: method }];
    }),
  );
}

/** What all calls of an endpoint share. */
interface Calls {
  readonly served: ReadonlyMap<string, Method>;
  readonly budget: BodyBudget;
  readonly onCall: OnCall;
}

function openCall(calls: Calls, stream: Stream, connection: Connection): BodySink | undefined {
  const { method, path, contentType } = stream.head;
  if (method !== 'POST' || !/^application\/grpc(\+|;|$)/.test(contentType)) {
    stream.respondHead(notGrpc);
    return undefined;
  }
  const target = calls.served.get(path);
  if (target !== undefined) return new Call(stream, connection, target, calls);
  stream.respondHead(plainRefusalHead(grpcStatus.unimplemented, `there is no method ${path}`));
  return undefined;
}

/** One unary call. */
class Call implements BodySink {
  readonly #stream: Stream;
  readonly #connection: Connection;
  readonly #method: Method;
  readonly #reader: MessageReader;
  readonly #calls: Calls;
  #held = 0;
  #isServing = false;

  constructor(stream: Stream, connection: Connection, method: Method, calls: Calls) {
    this.#calls = calls;
    this.#stream = stream;
    this.#connection = connection;
    this.#method = method;
    this.#reader = new MessageReader(method.name, method.requestLimit);
  }

  data(bytes: Buffer): void {
    const refused = this.#reader.add(bytes);
    if (refused !== undefined) this.#refuse(refused, '');
    else if (!this.#hold(this.#reader.held)) this.#refuse(overloaded(), '');
  }

  end(): void {
    this.#hold(0);
    const message = this.#reader.whole();
    if (!Buffer.isBuffer(message)) {
      this.#refuse(message, '');
      return;
    }
    this.#isServing = true;
    this.#calls.onCall(this.#method.name);
    this.#method.serve(message, this.#connection).then(this.#answer);
  }

  cancelled(): boolean {
    this.#hold(0);
    return this.#isServing;
  }

  readonly #answer = (outcome: Outcome): void => {
    this.#isServing = false;
    if (outcome instanceof Uint8Array) {
      this.#stream.respond(answerHead, framedMessage(outcome), answerTrailers);
    } else this.#refuse(outcome.refused, outcome.traceparent);
  };

  /** False when all requests together hold too much. */
  #hold(bytes: number): boolean {
    if (bytes === this.#held) return true;
    const change = bytes - this.#held;
    this.#held = bytes;
    return this.#calls.budget.change(change) || change <= 0;
  }

  #refuse(call: RefusedCall, traceparent: string): void {
    this.#hold(0);
    this.#stream.respondHead(refusalHead(call, traceparent));
  }
}
