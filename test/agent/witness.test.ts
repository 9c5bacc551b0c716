/**
 * What is lost when this fails: a server whose owner rewrites the audit log finds no one who
 * contradicts, or an honest server is accused.
 */
import t from 'tap';
import { entryHash, entryText, nodeSha256 } from '../../actors/audit/leaf.ts';
import {
  consistencyFolds,
  foldHashes,
  frontierPlaces,
  GrowingTree,
  inclusionFolds,
  type NodeFold,
} from '../../actors/audit/tree.ts';
import { nodeVerifier } from '../../agent/platform/crypto.ts';
import type { AuditNews } from '../../agent/protocol/gen/vigo/v1/audit.ts';
import {
  cosignedAt,
  parseCheckpoint,
  rootMark,
  signCheckpoint,
} from '../../agent/protocol/transparency/checkpoint.ts';
import { parseNote } from '../../agent/protocol/transparency/note.ts';
import { evidenceFileName, loadEvidence } from '../../agent/witness/witness-state.ts';
import { AgentFixture } from './support/agent-fixture.ts';
import { bundleSigner, envoySigner } from './support/fake-server-channel.ts';

const verifier = nodeVerifier();

/** A log as a server keeps it; `name` makes its entries its own. */
class ServerLog {
  readonly #nodes = new Map<string, Uint8Array>();
  readonly #tree = new GrowingTree(0, [], nodeSha256);
  readonly #texts: string[] = [];

  constructor(entries: readonly string[], acknowledged?: Record<string, string | number>) {
    for (const name of entries) this.#add(name, 'server.started', {});
    if (acknowledged !== undefined) this.#add('word', 'audit.restore_acknowledged', acknowledged);
  }

  get size(): number {
    return this.#tree.size;
  }

  #add(id: string, type: string, details: Record<string, string | number>): void {
    const event = { id, atMs: 1_900_000_000_000, type, actor: 'admin:ann', subject: 's', details };
    const entry = { sequence: this.size + 1, event };
    this.#texts.push(entryText(entry));
    for (const { level, position, hash } of this.#tree.add(entryHash(entry)))
      this.#nodes.set(`${level}/${position}`, hash);
  }

  #fold(fold: NodeFold): Uint8Array {
    const hashes = fold.map(({ level, position }) => this.#nodes.get(`${level}/${position}`)!);
    return foldHashes(hashes, nodeSha256);
  }

  /** What a server answers to a node that holds the first `size` entries. */
  news(size: number, signer = bundleSigner): AuditNews {
    const root = this.#fold(frontierPlaces(this.size));
    const proof = size < this.size ? consistencyFolds(size, this.size) : [];
    const word = this.#texts.findIndex((text) => text.includes('restore_acknowledged'));
    const included = word < 0 ? [] : inclusionFolds(word, this.size);
    return {
      checkpoint: signCheckpoint({ size: this.size, root }, signer),
      consistencyProof: Buffer.concat(proof.map((fold) => this.#fold(fold))),
      restored:
        word < 0
          ? undefined
          : {
              entry: this.#texts[word]!,
              inclusionProof: Buffer.concat(included.map((fold) => this.#fold(fold))),
            },
    };
  }
}

const honest = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
const first = (count: number) => new ServerLog(honest.slice(0, count));

async function watching(): Promise<AgentFixture> {
  const fixture = await AgentFixture.start();
  fixture.server.audit = first(5).news(0);
  await fixture.later();
  return fixture;
}

const told = (fixture: AgentFixture) => fixture.server.checkIns.at(-1)!;
const codes = (fixture: AgentFixture) =>
  fixture.server.reports.flatMap(({ incidents }) => incidents.map(({ code }) => code));

t.test('a node follows a log that only grows, and cosigns each checkpoint once', async (t) => {
  const fixture = await AgentFixture.start();
  await fixture.cycle();
  t.same([told(fixture).auditSize, told(fixture).auditMark], [0, 1], 'it wants to watch');
  const news = first(5).news(0);
  fixture.server.audit = news;
  await fixture.later();
  fixture.server.audit = undefined;
  await fixture.later();
  const note = parseNote(news.checkpoint)!;
  const { size, root } = parseCheckpoint(note.text)!;
  t.same([told(fixture).auditSize, told(fixture).auditMark], [size, rootMark(root)]);
  const cosignature = told(fixture).auditCosignature;
  t.ok(cosignedAt(note.text, cosignature, envoySigner.publicKey, verifier), 'the node signed it');
  t.notOk(cosignedAt(`${note.text}x\n`, cosignature, envoySigner.publicKey, verifier));
  await fixture.later();
  t.equal(told(fixture).auditCosignature.length, 0, 'once');
  fixture.server.audit = first(7).news(5);
  await fixture.later();
  await fixture.restart();
  fixture.server.audit = undefined;
  await fixture.later();
  t.equal(told(fixture).auditSize, 7, 'also after a restart');
  t.same(codes(fixture), []);
});

t.test('each way to change the log is refused, kept as evidence and reported', async (t) => {
  const cases: Record<string, ServerLog> = {
    AGENT_AUDIT_TRUNCATED: first(4),
    AGENT_AUDIT_FORKED: new ServerLog(['a', 'b', 'X', 'd', 'e']),
    AGENT_AUDIT_REWRITTEN: new ServerLog(['a', 'b', 'X', 'd', 'e', 'f']),
  };
  for (const [code, log] of Object.entries(cases)) {
    const fixture = await watching();
    fixture.server.audit = log.news(5);
    await fixture.later();
    await fixture.later();
    t.equal(told(fixture).auditSize, 5, `${code}: it stays with what it has seen`);
    t.ok(codes(fixture).includes(code), 'the server is told');
    const evidence = await loadEvidence(fixture.files);
    t.equal(evidence.length, 1, 'the same contradiction is kept once');
    t.match(evidence[0], { code, offered: log.news(5).checkpoint });
    await fixture.restart();
    fixture.server.audit = first(7).news(5);
    await fixture.later();
    await fixture.later();
    t.equal(told(fixture).auditSize, 7, 'and goes on with the true log when it is back');
    t.ok(await fixture.files.read(evidenceFileName), 'the evidence stays');
  }
});

t.test('a checkpoint of another key is no evidence against this server', async (t) => {
  const fixture = await watching();
  fixture.server.audit = first(4).news(5, envoySigner);
  await fixture.later();
  t.same(codes(fixture), ['AGENT_AUDIT_CHECKPOINT']);
  t.same(await loadEvidence(fixture.files), []);
});

t.test('a restore is taken on the word of an administrator that the log proves', async (t) => {
  const fixture = await watching();
  const word = { reason: 'disk died', through: 5 };
  fixture.server.audit = new ServerLog(['a', 'b', 'c'], word).news(5);
  const forged = fixture.server.audit;
  const { entry, inclusionProof } = forged.restored!;
  fixture.server.audit = {
    ...forged,
    restored: { entry: entry.replace('ann', 'bob'), inclusionProof },
  };
  await fixture.later();
  await fixture.later();
  t.equal(told(fixture).auditSize, 5, 'not on a word that is not in the log');
  fixture.server.audit = new ServerLog(['a', 'b', 'c'], { ...word, through: 4 }).news(5);
  await fixture.later();
  await fixture.later();
  t.equal(told(fixture).auditSize, 5, 'nor on one about a shorter log');
  fixture.server.audit = forged;
  await fixture.later();
  await fixture.later();
  t.equal(told(fixture).auditSize, 4);
  t.ok(fixture.lines.some((line) => line.includes('was restored') && line.includes('admin:ann')));
  fixture.server.audit = new ServerLog(['a', 'X', 'c'], word).news(4);
  await fixture.later();
  await fixture.later();
  t.equal((await loadEvidence(fixture.files)).at(-1)?.code, 'AGENT_AUDIT_FORKED', 'only once');
});
