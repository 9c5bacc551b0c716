import type { ActivationContext, ActorKind, MessageMap, Turn } from './actor.ts';
import type { Committer } from './committer.ts';
import type { Envelope, RuntimeEvent } from './envelope.ts';
import { assert, RuntimeError, reasonOf } from './errors.ts';
import { Mailbox } from './mailbox.ts';
import type { SoftWrites } from './soft-writes.ts';
import type { Operation, StoreReader } from './store.ts';
import { Supervisor } from './supervision.ts';
import { RefusalSignal, StagedTurn, type TurnHost } from './turn.ts';
import { type Wheel, WheelTimer } from './wheel.ts';

/** Actors of one thread in memory at a time. */
export const activeActorLimit = 2_000_000;
/** Turns of one actor before the next one is served. */
const turnsPerVisit = 16;
/** Turns of all actors before input and output are served. */
const turnsPerSlice = 512;

/** An ActorKind of whatever state and messages. */
export interface AnyKind extends Omit<ActorKind<unknown, MessageMap>, 'activate' | 'handlers'> {
  activate(context: ActivationContext): unknown;
  readonly handlers: Readonly<Record<string, (turn: Turn<never>, payload: never) => unknown>>;
}

type Handler = (turn: Turn<unknown>, payload: unknown) => unknown;

export interface HostedKind {
  readonly kind: AnyKind;
  readonly handlers: ReadonlyMap<string, Handler>;
  readonly cells: Map<string, Cell>;
  readonly supervisor: Supervisor;
  readonly idle: (cell: Cell) => void;
}

/** One actor in memory; as a timer, the end of its idle time. */
class Cell extends WheelTimer {
  readonly hosted: HostedKind;
  readonly key: string;
  readonly mailbox: Mailbox<Envelope>;
  state: unknown = undefined;
  active = false;
  busy = false;
  scheduled = false;
  /** It worked since its idle time began to run. */
  used = false;
  /** Called when the turn under way is over. */
  quiet: (() => void)[] | undefined = undefined;

  constructor(hosted: HostedKind, key: string) {
    super();
    this.hosted = hosted;
    this.key = key;
    this.mailbox = new Mailbox(hosted.kind.mailboxLimit);
  }

  due(): void {
    this.hosted.idle(this);
  }
}

/** The thread that the host works on. */
export interface HostThread extends TurnHost {
  readonly name: string;
  readonly wheel: Wheel;
  /** Undefined on threads without a store. */
  readonly committer: Committer | undefined;
  readonly soft: SoftWrites | undefined;
  readonly reader: StoreReader;
  /** Operations for what a turn staged beside rows; `after` runs once they are committed. */
  effects(
    envelope: Envelope,
    turn: StagedTurn,
  ): { operations: readonly Operation[]; after: () => void };
  sendStaged(envelope: Envelope, turn: StagedTurn): void;
  report(event: Omit<RuntimeEvent, 'atMs' | 'thread'>): void;
}

/** Runs the actors of one thread: mailboxes, activation, turns, passivation, restarts. */
export class ActorHost {
  readonly #thread: HostThread;
  readonly #kinds = new Map<string, HostedKind>();
  readonly #ready = new Mailbox<Cell>(activeActorLimit);
  readonly #drainSoon = (): void => this.#drain();
  #draining = false;
  #active = 0;

  constructor(thread: HostThread, kinds: readonly AnyKind[]) {
    this.#thread = thread;
    for (const kind of kinds) {
      this.#kinds.set(kind.name, {
        kind,
        handlers: new Map(Object.entries(kind.handlers) as [string, Handler][]),
        cells: new Map(),
        supervisor: new Supervisor(kind.restart),
        idle: (cell) => this.#idle(cell),
      });
    }
  }

  /** Actors in memory. */
  get active(): number {
    return this.#active;
  }

  kind(name: string): AnyKind | undefined {
    return this.#kinds.get(name)?.kind;
  }

  /** Takes a message for an actor of this thread, or rejects it at once. */
  deliver(envelope: Envelope): void {
    const { kind: name, key } = envelope;
    const hosted = this.#kinds.get(name);
    if (hosted === undefined) {
      envelope.reply?.reject(new RuntimeError('RUNTIME_UNKNOWN_KIND', { kind: name }));
      return;
    }
    if (hosted.supervisor.isParked(key, this.#nowMs)) {
      envelope.reply?.reject(new RuntimeError('RUNTIME_ACTOR_PARKED', { kind: name, key }));
      return;
    }
    const cell = hosted.cells.get(key) ?? this.#add(hosted, key);
    if (cell?.mailbox.push(envelope)) {
      this.#schedule(cell);
      return;
    }
    const limit = cell ? hosted.kind.mailboxLimit : activeActorLimit;
    const code = cell ? 'RUNTIME_MAILBOX_FULL' : 'RUNTIME_LIMIT';
    const what = 'memory for actors';
    this.#thread.report({ type: 'mailbox.refused', kind: name, key, code, count: 1 });
    envelope.reply?.reject(new RuntimeError(code, { kind: name, key, limit, what }));
  }

  /** Ends the actor's stay: waits for its turn, refuses what waits, forgets its state. */
  async evict(kind: string, key: string, reason: () => unknown): Promise<void> {
    const cell = this.#kinds.get(kind)?.cells.get(key);
    if (!cell) return;
    for (const envelope of cell.mailbox.drain()) envelope.reply?.reject(reason());
    if (cell.busy) {
      await new Promise<void>((resolve) => {
        cell.quiet ??= [];
        cell.quiet.push(resolve);
      });
      for (const envelope of cell.mailbox.drain()) envelope.reply?.reject(reason());
    }
    this.#forget(cell);
  }

  /** Resolves when no turn is under way and no mailbox has messages. */
  async drained(): Promise<void> {
    for (;;) {
      const busy = [...this.#kinds.values()]
        .flatMap(({ cells }) => [...cells.values()])
        .find((cell) => cell.busy || cell.mailbox.length > 0);
      if (!busy) return;
      await new Promise<void>((resolve) => {
        busy.quiet ??= [];
        busy.quiet.push(resolve);
      });
    }
  }

  readonly #nowMs = (): number => this.#thread.ports.clock.monotonicMs();

  #add(hosted: HostedKind, key: string): Cell | undefined {
    if (this.#active >= activeActorLimit) return undefined;
    const cell = new Cell(hosted, key);
    hosted.cells.set(key, cell);
    this.#active += 1;
    return cell;
  }

  #forget(cell: Cell): void {
    if (cell.hosted.cells.get(cell.key) !== cell) return;
    cell.hosted.cells.delete(cell.key);
    this.#active -= 1;
    this.#thread.wheel.cancel(cell);
    cell.state = undefined;
    cell.active = false;
  }

  #schedule(cell: Cell): void {
    if (cell.busy || cell.scheduled) return;
    cell.scheduled = true;
    this.#ready.push(cell);
    if (this.#draining) return;
    this.#draining = true;
    queueMicrotask(this.#drainSoon);
  }

  #drain(): void {
    let budget = turnsPerSlice;
    for (let cell = this.#ready.shift(); cell !== undefined; cell = this.#ready.shift()) {
      cell.scheduled = false;
      budget -= this.#visit(cell);
      if (budget <= 0 && this.#ready.length > 0) {
        this.#thread.ports.clock.soon(this.#drainSoon);
        return;
      }
    }
    this.#draining = false;
  }

  /** Turns that were run. */
  #visit(cell: Cell): number {
    let turns = 0;
    while (!cell.busy) {
      if (cell.mailbox.length === 0) {
        this.#rest(cell);
        return turns;
      }
      if (turns === turnsPerVisit) {
        this.#schedule(cell);
        return turns;
      }
      if (cell.active) this.#turn(cell);
      else this.#activate(cell);
      turns += 1;
    }
    return turns;
  }

  /** After a turn or an activation that took its time. */
  #resume(cell: Cell): void {
    cell.busy = false;
    tellQuiet(cell);
    if (cell.mailbox.length > 0) this.#schedule(cell);
    else this.#rest(cell);
  }

  #rest(cell: Cell): void {
    const { idleAfterMs } = cell.hosted.kind;
    tellQuiet(cell);
    if (idleAfterMs === 0 || !cell.active) {
      this.#forget(cell);
      return;
    }
    cell.used = cell.atTick !== undefined;
    if (!cell.used) this.#thread.wheel.start(cell, idleAfterMs);
  }

  /** An actor that worked meanwhile stays for another idle time: a message reads no clock for this. */
  #idle(cell: Cell): void {
    if (cell.busy || cell.scheduled) return;
    if (cell.used) {
      cell.used = false;
      this.#thread.wheel.start(cell, cell.hosted.kind.idleAfterMs);
    } else this.#forget(cell);
  }

  #activate(cell: Cell): void {
    const { ports, reader } = this.#thread;
    let state: unknown;
    try {
      state = cell.hosted.kind.activate({ key: cell.key, ports, store: reader });
    } catch (error) {
      this.#activationFailed(cell, error);
      return;
    }
    if (!isPromise(state)) {
      cell.state = state;
      cell.active = true;
      return;
    }
    cell.busy = true;
    state.then(
      (value) => {
        cell.state = value;
        cell.active = true;
        this.#resume(cell);
      },
      (error) => {
        this.#activationFailed(cell, error);
        this.#resume(cell);
      },
    );
  }

  #activationFailed(cell: Cell, error: unknown): void {
    const envelope = cell.mailbox.shift();
    const { kind, key } = { kind: cell.hosted.kind.name, key: cell.key };
    const coded = new RuntimeError(
      'RUNTIME_ACTIVATION_FAILED',
      { kind, key, reason: reasonOf(error) },
      { cause: error },
    );
    this.#count(cell, coded, error);
    envelope?.reply?.reject(coded);
  }

  #turn(cell: Cell): void {
    const envelope = cell.mailbox.shift();
    assert(envelope !== undefined && !cell.busy, 'a turn needs a message and a quiet actor');
    const handler = cell.hosted.handlers.get(envelope.type);
    if (handler === undefined) {
      const { kind, key, type } = envelope;
      envelope.reply?.reject(new RuntimeError('RUNTIME_UNKNOWN_MESSAGE', { kind, key, type }));
      return;
    }
    const turn = new StagedTurn(this.#thread, envelope, cell.state);
    let result: unknown;
    try {
      result = handler(turn, envelope.payload);
    } catch (error) {
      this.#threw(cell, envelope, turn, error);
      return;
    }
    if (!isPromise(result)) {
      this.#returned(cell, envelope, turn, result);
      return;
    }
    cell.busy = true;
    result.then(
      (value) => {
        cell.busy = false;
        this.#returned(cell, envelope, turn, value);
        if (!cell.busy) this.#resume(cell);
      },
      (error) => {
        cell.busy = false;
        this.#threw(cell, envelope, turn, error);
        if (!cell.busy) this.#resume(cell);
      },
    );
  }

  #returned(cell: Cell, envelope: Envelope, turn: StagedTurn, value: unknown): void {
    if (!turn.hasEffects && !envelope.mail) {
      turn.end();
      cell.state = turn.state;
      envelope.reply?.resolve(value);
      return;
    }
    this.#finish(cell, envelope, turn, () => envelope.reply?.resolve(value));
  }

  #threw(cell: Cell, envelope: Envelope, turn: StagedTurn, error: unknown): void {
    if (error instanceof RefusalSignal) {
      this.#finish(cell, envelope, turn, () => envelope.reply?.reject(error.error));
      return;
    }
    turn.end();
    cell.state = undefined;
    cell.active = false;
    if (isCodedError(error)) {
      envelope.reply?.reject(error);
      return;
    }
    const { kind, key, type } = envelope;
    const coded = new RuntimeError(
      'RUNTIME_ACTOR_FAILED',
      { kind, key, type, reason: reasonOf(error) },
      { cause: error },
    );
    this.#count(cell, coded, error);
    envelope.reply?.reject(coded);
  }

  /** Commits what the turn staged, then lets out its messages and its answer. */
  #finish(cell: Cell, envelope: Envelope, turn: StagedTurn, answer: () => void): void {
    turn.end();
    cell.state = turn.state;
    const { committer } = this.#thread;
    if (!turn.hasWrites) {
      if (!this.#applySoft(envelope, turn)) return;
      if (turn.tells) this.#thread.sendStaged(envelope, turn);
      if ((turn.when === 'durable' || envelope.mail) && committer) {
        committer.allDurable().then(answer, (error) => this.#notStored(envelope, error));
      } else answer();
      return;
    }
    if (!committer) {
      this.#threw(cell, envelope, turn, this.#noStore());
      return;
    }
    this.#commit(cell, envelope, turn, committer, answer);
  }

  #commit(
    cell: Cell,
    envelope: Envelope,
    turn: StagedTurn,
    committer: Committer,
    answer: () => void,
  ): void {
    const when = envelope.mail ? 'durable' : (turn.when ?? 'committed');
    let effects: ReturnType<HostThread['effects']>;
    try {
      effects = this.#thread.effects(envelope, turn);
    } catch (error) {
      this.#threw(cell, envelope, turn, error);
      return;
    }
    cell.busy = true;
    if (when === 'turn') answer();
    const { operations, after } = effects;
    this.#thread.soft?.hold(operations);
    committer.commit({
      operations,
      durable:
        when === 'durable'
          ? (error) => (error === undefined ? answer() : this.#notStored(envelope, error))
          : undefined,
      settled: (error) => {
        if (error === undefined) {
          this.#thread.soft?.overtake(operations);
          this.#applySoft(envelope, turn);
          after();
          if (turn.tells) this.#thread.sendStaged(envelope, turn);
          if (when === 'committed') answer();
        } else {
          this.#thread.soft?.release(operations);
          cell.state = undefined;
          cell.active = false;
          this.#notStored(envelope, error);
        }
        this.#resume(cell);
      },
    });
  }

  /** False when there is nowhere to put soft writes; the asker knows then. */
  #applySoft(envelope: Envelope, turn: StagedTurn): boolean {
    if (turn.soft === undefined) return true;
    const { soft } = this.#thread;
    if (!soft) {
      envelope.reply?.reject(this.#noStore());
      return false;
    }
    for (const operation of turn.soft) {
      if (operation.op === 'put') soft.put(operation.table, operation.key, operation.value);
    }
    return true;
  }

  #noStore(): RuntimeError {
    return new RuntimeError('RUNTIME_NO_STORE', { thread: this.#thread.name });
  }

  #notStored(envelope: Envelope, error: unknown): void {
    const { kind, key } = envelope;
    const reason = reasonOf(error);
    const code = isCodedError(error) ? error.code : 'RUNTIME_COMMIT_FAILED';
    this.#thread.report({ type: 'actor.commit-failed', kind, key, code, reason });
    envelope.reply?.reject(
      new RuntimeError('RUNTIME_COMMIT_FAILED', { kind, key, reason }, { cause: error }),
    );
  }

  /** Counts a failure against the restart intensity; a parked actor answers nothing more. */
  #count(cell: Cell, coded: RuntimeError, error: unknown): void {
    const { hosted, key } = cell;
    const verdict = hosted.supervisor.failed(key, this.#nowMs());
    const stack = error instanceof Error ? error.stack : undefined;
    this.#thread.report({
      type: verdict === 'park' ? 'actor.parked' : 'actor.restarted',
      kind: hosted.kind.name,
      key,
      code: coded.code,
      reason: reasonOf(error),
      ...(stack === undefined ? {} : { stack }),
    });
    if (verdict === 'restart') return;
    const parked = new RuntimeError('RUNTIME_ACTOR_PARKED', { kind: hosted.kind.name, key });
    for (const envelope of cell.mailbox.drain()) envelope.reply?.reject(parked);
  }
}

function tellQuiet(cell: Cell): void {
  if (cell.quiet === undefined) return;
  const quiet = cell.quiet;
  cell.quiet = undefined;
  for (const resolve of quiet) resolve();
}

function isPromise(value: unknown): value is Promise<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}

/** Errors of the house's registries carry a remedy; errors of Node and of libraries do not. */
export function isCodedError(error: unknown): error is Error & { code: string; remedy: string } {
  return (
    error instanceof Error &&
    typeof (error as { code?: unknown }).code === 'string' &&
    typeof (error as { remedy?: unknown }).remedy === 'string'
  );
}
