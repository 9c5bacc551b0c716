import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import t from 'tap';
import { createEngine } from '../../agent/converge/engine.ts';
import { fileType } from '../../agent/executors/cross/file.ts';
import { typeRegistry } from '../../agent/executors/registry.ts';
import { createNodePlatform } from '../../agent/platform/node-platform.ts';
import { fc } from '../support/property.ts';
import { resourceBundle } from '../support/resource-bundle.ts';
import { type Crash, SimulatedReportServer } from '../support/simulated-report-server.ts';
import { AgentFixture } from './support/agent-fixture.ts';
import { signedPolicy } from './support/fake-server-channel.ts';

const hourMs = 3_600_000;
const intervalMs = 600_000;

/** Uniform in [0, 1), the same for the same seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/** A real agent that enforces a real file below a directory, in virtual time. */
class Day {
  readonly root = mkdtempSync(`${tmpdir()}/vigo-day-`);
  readonly fixture = new AgentFixture();
  readonly server = new SimulatedReportServer(this.fixture.server);
  readonly random: () => number;
  drifts = 0;

  constructor(seed: number) {
    this.random = seeded(seed);
    const { fixture } = this;
    fixture.channel = this.server;
    fixture.server.nextCheckInMs = intervalMs;
    fixture.intervalMs = intervalMs;
    fixture.engine = createEngine({
      platform: createNodePlatform({ root: this.root }),
      registry: typeRegistry([fileType]),
    });
    const document = resourceBundle({
      type: 'file',
      parameters: { target_path: '/motd', content: 'as declared\n' },
    });
    fixture.server.policy = signedPolicy(1, document);
  }

  get isRight(): boolean {
    try {
      return readFileSync(`${this.root}/motd`, 'utf8') === 'as declared\n';
    } catch {
      return false;
    }
  }

  drift(): void {
    this.drifts += 1;
    if (this.random() < 0.5) rmSync(`${this.root}/motd`);
    else writeFileSync(`${this.root}/motd`, 'by somebody else\n');
  }

  /** Lives until then; now and then the process is killed and started again. */
  async until(endMs: number, killEvery: number): Promise<void> {
    const { fixture } = this;
    while (fixture.nowMs < endMs) {
      const stop = new AbortController();
      fixture.onSleep = () => {
        if (fixture.nowMs >= endMs || this.random() < killEvery) stop.abort();
      };
      await fixture.daemon.run(stop.signal);
      await fixture.restart();
    }
  }
}

async function live(seed: number): Promise<void> {
  const day = new Day(seed);
  const { fixture, server, random } = day;
  try {
    await fixture.restart();
    await day.until(fixture.nowMs + intervalMs, 0);
    fixture.server.away = true;
    const startMs = fixture.nowMs;
    for (let hour = 0; hour < 24; hour++) {
      await day.until(startMs + hour * hourMs + random() * (hourMs - 2 * intervalMs), 0.02);
      day.drift();
      await day.until(fixture.nowMs + intervalMs + 1, 0.02);
      if (!day.isRight) throw new Error(`hour ${hour}: not repaired within an interval`);
    }
    if (fixture.nowMs - startMs < 23 * hourMs) throw new Error('the day was too short');
    fixture.server.away = false;
    const deaths: readonly Crash[] = ['before', 'after', 'after', 'store-lost'];
    server.crash = () => (random() < 0.4 ? deaths[Math.floor(random() * 4)] : undefined);
    server.settles = () => random() < 0.5;
    await day.until(fixture.nowMs + 12 * hourMs, 0.02);
    server.crash = () => undefined;
    server.settles = () => true;
    await day.until(fixture.nowMs + 4 * intervalMs, 0);
    check(day);
  } finally {
    rmSync(day.root, { recursive: true, force: true });
  }
}

function check({ server, drifts }: Day): void {
  const sequences = server.database.map(({ reportSequence }) => reportSequence);
  const wanted = sequences.map((_, index) => index + 1);
  if (sequences.join() !== wanted.join()) throw new Error(`delivered: ${sequences.join()}`);
  // Each repair is told, and after it that the resource is as declared again.
  const repairs = server.database.filter(({ results }) => (results[0]?.action ?? 0) > 0);
  if (repairs.length !== drifts + 1) throw new Error(`${repairs.length} of ${drifts + 1} repairs`);
  const alone = repairs.filter(({ offline }) => offline);
  if (alone.length !== drifts) throw new Error(`${alone.length} are marked as offline`);
  if (server.crashes === 0) throw new Error('the server never crashed');
}

// Three days of 144 passes each; slow only where the machine is.
t.setTimeout(120_000);

t.test('a day alone: enforced throughout, and every result arrives once', async () => {
  await fc.assert(fc.asyncProperty(fc.integer(), live), { numRuns: 3, endOnFailure: true });
});
