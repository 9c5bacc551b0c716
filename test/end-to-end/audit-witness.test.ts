/**
 * What is lost when this fails: root on the server changes what the audit log says, and nobody can
 * tell. One real server, one real node, and root's hand in the database.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { AuditEvent } from '../../actors/audit/event.ts';
import type { CheckpointView } from '../../actors/audit/view.ts';
import { nodeVerifier } from '../../agent/platform/crypto.ts';
import { NodeStateFiles } from '../../agent/platform/node-state-files.ts';
import {
  auditLogKey,
  isWitnessedBy,
  openCheckpoint,
} from '../../agent/protocol/transparency/checkpoint.ts';
import { parseNoteKey } from '../../agent/protocol/transparency/note.ts';
import { loadEvidence, loadWitnessState } from '../../agent/witness/witness-state.ts';
import { filesStack, makeToken, publish, TestAgent } from './support/agent-process.ts';
import { TestDatabase } from './support/database.ts';
import { shellWithVigocli } from './support/documented-commands.ts';
import { rest } from './support/rest.ts';
import { TestServer } from './support/server-process.ts';
import { TamperedLog } from './support/tampered-log.ts';

t.setTimeout(400_000);

const page = readFileSync(new URL('../../docs/audit.md', import.meta.url), 'utf8');
/** Every command of the page, in its order. */
const documented = [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, text = '']) =>
  text.trimEnd().split('\n'),
);
const verifier = nodeVerifier();
const limitMs = 60_000;
/** The promise: this many check-ins after the server signed a changed log, the node has refused it. */
const promisedIntervals = 2;

async function until<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
  const untilMs = Date.now() + limitMs;
  while (Date.now() < untilMs) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`waited in vain: ${what}`);
}

t.test('a node finds out what root does to the audit log', async (t) => {
  const server = await TestServer.make(t, { shards: 1, interval: '1s' });
  await server.start();
  const agent = new TestAgent(t);
  await agent.enroll(server);
  await publish(server, filesStack({ '/motd': 'hello\n' }));
  agent.start('--log-level', 'debug');
  const files = new NodeStateFiles(agent.stateDirectory);
  const log = new TamperedLog(server.home.layout.database);
  const key = auditLogKey(server.home.bundlePublicKey, verifier);
  const checkpoint = async () =>
    (await rest<CheckpointView>(server, 'GET', '/api/v1/audit/checkpoint')).body;
  const held = async () => {
    const state = await loadWitnessState(files);
    const open = state && openCheckpoint(state.note, key, verifier);
    return open && { ...open, conflict: state.conflict, restored: state.restored };
  };
  const checkIns = () => agent.lines().filter(({ message }) => message === 'checked in').length;
  /** The node holds what the server says now. */
  const inStep = () =>
    until('the node and the server agree', async () => {
      const mine = await held();
      const { size } = await checkpoint();
      return mine?.size === size && mine.conflict === undefined && mine;
    });

  /** Any event makes the log grow, and with it comes a checkpoint of the changed log. */
  const grow = async () => {
    const { root } = await checkpoint();
    await makeToken(server, ['x']);
    await until('a new checkpoint', async () => (await checkpoint()).root !== root);
  };

  await t.test('the checkpoint is signed, and the node has cosigned it', async (t) => {
    await inStep();
    const { note, witnesses } = await until('a witness', async () => {
      const view = await checkpoint();
      return view.witnesses.length > 0 && view;
    });
    const open = openCheckpoint(note, key, verifier);
    const [witness] = witnesses;
    const witnessKey = parseNoteKey(witness?.key ?? '', 'cosignatureV1', verifier);
    t.ok(open && witnessKey && isWitnessedBy(open.note, witnessKey, verifier));
    t.match(witness, { envoyId: agent.envoyId, hostname: 'web-1' });
  });

  const work = mkdtempSync(join(tmpdir(), 'vigo-audit-page-'));
  t.teardown(() => rmSync(work, { recursive: true, force: true }));
  const shell = shellWithVigocli(work, server.directory);
  const runs = async (
    t: { equal(found: unknown, wanted: unknown, name: string): unknown },
    lines: readonly string[],
  ) => {
    for (const line of lines) {
      const { code, output } = await shell(line);
      t.equal(code, 0, `${line}\n${output}`);
    }
  };

  await t.test('the commands of docs/audit.md', async (t) => {
    t.equal(documented.length, 9);
    await runs(t, documented.slice(0, -2));
    const proof = JSON.parse(readFileSync(join(work, 'proof.json'), 'utf8')) as { index: number };
    t.equal(proof.index, 0);
  });

  // From what the node holds: the log may have grown by what the node itself reported meanwhile.
  const changes: Record<string, (events: AuditEvent[], held: number) => AuditEvent[]> = {
    rewrites: (events) => events.with(2, { ...events[2]!, actor: 'admin:nobody' }),
    deletes: (events) => events.toSpliced(2, 1),
    truncates: (events, held) => events.slice(0, held - 3),
    forks: (events, held) => events.slice(0, held - 1),
  };
  for (const [name, change] of Object.entries(changes)) {
    await t.test(`root ${name} the log`, async (t) => {
      const { size: heldSize } = await inStep();
      const known = new Set((await loadEvidence(files)).map(({ offered }) => offered));
      const before = log.change((events) => change(events, heldSize));
      await grow();
      const since = checkIns();
      const found = await until('evidence', async () =>
        (await loadEvidence(files)).find(({ offered }) => !known.has(offered)),
      );
      const needed = checkIns() - since;
      t.ok(needed <= promisedIntervals, `refused after ${needed} check-ins`);
      t.match(found.code, /^AGENT_AUDIT_(REWRITTEN|TRUNCATED|FORKED)$/);
      const pair = [found.held, found.offered].map((note) => openCheckpoint(note, key, verifier));
      t.ok(
        pair.every((each) => each !== undefined),
        'the server has signed both',
      );
      t.equal((await held())?.size, pair[0]?.size, 'the node stays with what it has seen');
      if (name === 'rewrites') {
        t.ok(await agent.repairs('/motd'), 'and goes on enforcing its policy');
        const { auditLog } = await agent.status();
        t.match(auditLog, { entries: pair[0]?.size, conflict: { code: found.code } });
        t.match((await agent.vigo('status')).stdout, /audit log +CHANGED BY SOMEBODY/);
        const database = new TestDatabase(server.home.layout.database);
        await until('the report', async () => database.auditTypes().includes('agent.incident'));
      }
      log.change(() => before);
      await grow();
      await inStep();
    });
  }

  await t.test('a restored backup needs the word of an administrator', async (t) => {
    await inStep();
    log.change((events) => events.slice(0, 3));
    await grow();
    const { size } = await until('the conflict', async () => {
      const mine = await held();
      return mine?.conflict !== undefined && mine;
    });
    const changed = await shell('vigocli audit verify');
    t.match(
      changed,
      { code: 4, output: /^CLI_AUDIT_BROKEN: .* entry 4 / },
      'an auditor sees it too',
    );
    await runs(
      t,
      documented.slice(-2).map((line) => line.replace('1200', String(size))),
    );
    const { restored } = await inStep();
    t.match(restored, { by: 'admin:local', reason: /disk of vigo-1/, through: size });
    await grow();
    t.ok((await inStep()).size > 4, 'and the log goes on from there');
  });
});
