import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { msgpackCodec } from '../../runtime/codecs.ts';
import type { Clock } from '../../runtime/ports/clock.ts';
import type { Operation, Table } from '../../runtime/store.ts';

interface Waiting {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** A clock that stands still until `advance`. */
export class ManualClock implements Clock {
  #nowMs = 0;
  #order = 0;
  readonly #waiting = new Set<Waiting>();

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: () => void): { cancel: () => void } {
    this.#order += 1;
    const waiting = { atMs: this.#nowMs + delayMs, order: this.#order, run };
    this.#waiting.add(waiting);
    return { cancel: () => this.#waiting.delete(waiting) };
  }

  soon(run: () => void): void {
    this.after(0, run);
  }

  advance(byMs: number): void {
    const until = this.#nowMs + byMs;
    for (;;) {
      const due = [...this.#waiting]
        .filter((waiting) => waiting.atMs <= until)
        .sort((a, b) => a.atMs - b.atMs || a.order - b.order)[0];
      if (due === undefined) break;
      this.#waiting.delete(due);
      this.#nowMs = due.atMs;
      due.run();
    }
    this.#nowMs = until;
  }
}

/** A fresh directory for one store, and its removal. */
export function temporaryDirectory(): { path: string; remove: () => void } {
  const root = mkdtempSync(join(tmpdir(), 'vigo-store-'));
  return {
    path: join(root, 'store'),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

export function testTable(name = 'things', rowLimit = 1_000_000): Table<unknown> {
  return { name, codec: msgpackCodec<unknown>(), rowLimit };
}

export function put(table: Table<unknown>, key: string, value: unknown): Operation {
  return { op: 'put', table, key, value };
}

export function remove(table: Table<unknown>, key: string): Operation {
  return { op: 'remove', table, key };
}

/** The stable code of a rejection or a throw; 'none' when it went well. */
export async function codeOf(action: Promise<unknown> | (() => unknown)): Promise<string> {
  try {
    await (typeof action === 'function' ? action() : action);
    return 'none';
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
}
