import t from 'tap';
import { nodePorts } from '../../../runtime/ports/node-ports.ts';
import { openLmdbStore } from '../../../runtime/recovery.ts';
import { openSimulatedStore } from '../../../runtime/simulate/simulated-store.ts';
import { SimulatedStoreDisk } from '../../../runtime/simulate/simulated-store-disk.ts';
import type { Commit, Operation, Store, Table } from '../../../runtime/store.ts';
import { fc } from '../../support/property.ts';
import {
  ManualClock,
  put,
  remove,
  temporaryDirectory,
  testTable,
} from '../../support/store-fixture.ts';

const rowLimit = 6;
const tables = [testTable('a', rowLimit), testTable('ab', rowLimit), testTable('b', 1000)];
type Rows = Map<string, Map<string, unknown>>;

/** The plain model: what readers see, and what a crash leaves. */
interface Model {
  committed: Rows;
  durable: Rows;
}

interface Real {
  store: Store;
  /** Lets everything accepted become visible; `flush` also durable. */
  settle(commits: readonly Commit[], flush: boolean): Promise<void>;
  /** Closes, or loses what is not durable, and opens again. */
  reopen(crash: boolean): Promise<void>;
}

const copyRows = (rows: Rows): Rows =>
  new Map([...rows].map(([name, map]) => [name, new Map(map)]));
const emptyRows = (): Rows => new Map(tables.map(({ name }) => [name, new Map()]));

function applyTransaction(model: Model, operations: readonly Operation[]): boolean {
  const next = copyRows(model.committed);
  for (const operation of operations) {
    const rows = next.get(operation.table.name)!;
    if (operation.op === 'put') rows.set(operation.key, operation.value);
    else rows.delete(operation.key);
  }
  for (const { name, rowLimit } of tables) {
    const size = next.get(name)!.size;
    if (size > rowLimit && size > model.committed.get(name)!.size) return false;
  }
  model.committed = next;
  return true;
}

function expectSame(model: Model, store: Store): void {
  for (const table of tables) {
    const rows = model.committed.get(table.name)!;
    const sorted = [...rows].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    const found = [...store.range(table, { limit: 1000 })];
    const text = JSON.stringify(found);
    if (text !== JSON.stringify(sorted)) throw new Error(`${table.name}: ${text}`);
    if (store.count(table) !== rows.size) throw new Error(`${table.name}: ${store.count(table)}`);
  }
}

type Command = fc.AsyncCommand<Model, Real>;

class Transact implements Command {
  readonly transactions: readonly (readonly Operation[])[];
  readonly flush: boolean;
  constructor(transactions: readonly (readonly Operation[])[], flush: boolean) {
    this.transactions = transactions;
    this.flush = flush;
  }
  check = (): boolean => true;
  async run(model: Model, real: Real): Promise<void> {
    const commits = this.transactions.map((operations) => real.store.transact(operations));
    const expected = this.transactions.map((operations) => applyTransaction(model, operations));
    await real.settle(commits, this.flush);
    const kept = await Promise.all(
      commits.map(({ committed }) =>
        committed.then(
          () => true,
          () => false,
        ),
      ),
    );
    if (JSON.stringify(kept) !== JSON.stringify(expected)) {
      throw new Error(`kept ${kept}, expected ${expected}`);
    }
    if (this.flush) model.durable = copyRows(model.committed);
    expectSame(model, real.store);
  }
  toString = (): string => `transact(${JSON.stringify(this.transactions)}, ${this.flush})`;
}

class Range implements Command {
  readonly table: Table<unknown>;
  readonly options: { from: string | undefined; to: string | undefined; reverse: boolean };
  readonly limit: number;
  constructor(
    table: Table<unknown>,
    from: string | undefined,
    to: string | undefined,
    reverse: boolean,
    limit: number,
  ) {
    this.table = table;
    this.options = { from, to, reverse };
    this.limit = limit;
  }
  check = (): boolean => true;
  async run(model: Model, real: Real): Promise<void> {
    const { from, to, reverse } = this.options;
    const bytes = (text: string): Buffer => Buffer.from(text);
    const keys = [...model.committed.get(this.table.name)!.keys()]
      .filter((key) => from === undefined || Buffer.compare(bytes(key), bytes(from)) >= 0)
      .filter((key) => to === undefined || Buffer.compare(bytes(key), bytes(to)) < 0)
      .sort((a, b) => Buffer.compare(bytes(a), bytes(b)));
    if (reverse) keys.reverse();
    const options = {
      limit: this.limit,
      reverse,
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
    };
    const found = Array.from(real.store.range(this.table, options), ([key]) => key);
    if (JSON.stringify(found) !== JSON.stringify(keys.slice(0, this.limit))) {
      throw new Error(`found ${found}, expected ${keys.slice(0, this.limit)}`);
    }
  }
  toString = (): string =>
    `range(${this.table.name}, ${JSON.stringify(this.options)}, ${this.limit})`;
}

class Reopen implements Command {
  readonly crash: boolean;
  constructor(crash: boolean) {
    this.crash = crash;
  }
  check = (): boolean => true;
  async run(model: Model, real: Real): Promise<void> {
    await real.reopen(this.crash);
    if (this.crash) model.committed = copyRows(model.durable);
    else model.durable = copyRows(model.committed);
    expectSame(model, real.store);
  }
  toString = (): string => (this.crash ? 'crash' : 'close and open');
}

const keys = fc.oneof(
  fc.constantFrom('', 'a', 'b', 'ab', 'ä', '\u0000', 'a\u0000', '\uffff', '😀', '~'),
  fc.string({ maxLength: 3, unit: 'grapheme' }),
);
const tableChoice = fc.constantFrom(...tables);
const operations = fc.oneof(
  fc.tuple(tableChoice, keys, fc.nat(99)).map(([table, key, value]) => put(table, key, value)),
  fc.tuple(tableChoice, keys).map(([table, key]) => remove(table, key)),
);

function commandArbitraries(crashes: boolean): fc.Arbitrary<Command>[] {
  const transactions = fc.array(fc.array(operations, { maxLength: 5 }), { maxLength: 4 });
  return [
    fc.tuple(transactions, fc.boolean()).map(([list, flush]) => new Transact(list, flush)),
    fc
      .tuple(tableChoice, fc.option(keys), fc.option(keys), fc.boolean(), fc.nat(8))
      .map(
        ([table, from, to, reverse, limit]) =>
          new Range(table, from ?? undefined, to ?? undefined, reverse, limit),
      ),
    fc.constant(new Reopen(false)),
    ...(crashes ? [fc.constant(new Reopen(true))] : []),
  ];
}

async function checkAgainstModel(
  open: () => Promise<{ real: Real; end: () => Promise<void> }>,
  crashes: boolean,
  numRuns: number,
): Promise<void> {
  const commands = fc.commands(commandArbitraries(crashes), { maxCommands: 25 });
  await fc.assert(
    fc.asyncProperty(commands, async (list) => {
      const { real, end } = await open();
      try {
        const model: Model = { committed: emptyRows(), durable: emptyRows() };
        await fc.asyncModelRun(() => ({ model, real }), list);
      } finally {
        await end();
      }
    }),
    { numRuns },
  );
}

async function openSimulated(): Promise<{ real: Real; end: () => Promise<void> }> {
  const clock = new ManualClock();
  const disk = new SimulatedStoreDisk();
  const ports = { clock, random: nodePorts().random };
  let current = openSimulatedStore({ disk, ports, commitMs: 1, flushMs: 1000 }).store;
  const real: Real = {
    store: current,
    async settle(_commits, flush) {
      clock.advance(flush ? 2000 : 1);
    },
    async reopen(crash) {
      if (crash) current.crash();
      else {
        const closed = current.close();
        clock.advance(2000);
        await closed;
      }
      current = openSimulatedStore({ disk, ports, commitMs: 1, flushMs: 1000 }).store;
      real.store = current;
    },
  };
  return { real, end: async () => undefined };
}

async function openReal(): Promise<{ real: Real; end: () => Promise<void> }> {
  const directory = temporaryDirectory();
  const open = async () =>
    (await openLmdbStore({ directory: directory.path, ports: nodePorts() })).store;
  const real: Real = {
    store: await open(),
    async settle(commits, flush) {
      for (const { committed, durable } of commits) {
        await (flush ? durable : committed).catch(() => undefined);
      }
    },
    async reopen() {
      await real.store.close();
      real.store = await open();
    },
  };
  return {
    real,
    end: async () => {
      await real.store.close();
      directory.remove();
    },
  };
}

t.test('the simulated store is a map whose crash takes back what is not durable', async () => {
  await checkAgainstModel(openSimulated, true, 300);
});

t.test('the LMDB store is the same map', async () => {
  await checkAgainstModel(openReal, false, 25);
});
