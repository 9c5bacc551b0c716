/**
 * What is lost when this fails: other programs cannot read Vigo's checkpoints, or a note that the
 * server never signed passes for one.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { nodeSha256 } from '../../../../actors/audit/leaf.ts';
import {
  consistencyFolds,
  foldHashes,
  frontierPlaces,
  GrowingTree,
  inclusionFolds,
  type NodeFold,
} from '../../../../actors/audit/tree.ts';
import { nodeSigner, nodeVerifier } from '../../../../agent/platform/crypto.ts';
import { leafHash } from '../../../../agent/protocol/merkle.ts';
import { fromBase64, toBase64 } from '../../../../agent/protocol/transparency/base64.ts';
import {
  auditLogKey,
  cosign,
  cosignatureLine,
  isWitnessedBy,
  openCheckpoint,
  parseCheckpoint,
  signCheckpoint,
  witnessKey,
} from '../../../../agent/protocol/transparency/checkpoint.ts';
import {
  formatNote,
  formatNoteKey,
  isSignedBy,
  parseNote,
  parseNoteKey,
} from '../../../../agent/protocol/transparency/note.ts';
import { fc } from '../../../support/property.ts';
import { requires } from '../../../support/requires.ts';

const verifier = nodeVerifier();
const logSigner = nodeSigner(new Uint8Array(32).fill(9));
const witnessSigner = nodeSigner(new Uint8Array(32).fill(8));
const key = auditLogKey(logSigner.publicKey, verifier);
const witness = witnessKey('6f1f5b0e-0000-4000-8000-000000000001', witnessSigner.publicKey);

t.test("the example of Go's note package verifies", async (t) => {
  const goKey = parseNoteKey(
    'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
    'ed25519',
    verifier,
  );
  const text =
    'If you think cryptography is the answer to your problem,\n' +
    "then you don't know what your problem is.\n";
  const line =
    '\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqd' +
    'ngotpRZb6KE6RyyBwJnAM=\n';
  const note = parseNote(`${text}\n${line}`);
  t.ok(goKey && note && isSignedBy(note, goKey, verifier));
  const other = parseNote(`${text.replace('answer', 'Answer')}\n${line}`);
  t.notOk(goKey && other && isSignedBy(other, goKey, verifier));
});

t.test('a checkpoint and its cosignature survive the wire, and no change of them', async (t) => {
  const root = new Uint8Array(32).fill(3);
  const signed = signCheckpoint({ size: 2 ** 40, root }, logSigner);
  const open = openCheckpoint(signed, key, verifier);
  t.match(open, { size: 2 ** 40, root, origin: key.name });
  const line = cosignatureLine(
    witness,
    cosign(open!.note.text, 1_900_000_000, witnessSigner),
    verifier,
  );
  const witnessed = formatNote({ ...open!.note, signatures: [...open!.note.signatures, line] });
  t.ok(isWitnessedBy(openCheckpoint(witnessed, key, verifier)!.note, witness, verifier));
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 33, max: 126 }), (pick, code) => {
      const at = pick % signed.length;
      const letter = String.fromCharCode(code);
      const forged = signed.slice(0, at) + letter + signed.slice(at + 1);
      return forged === signed || openCheckpoint(forged, key, verifier) === undefined;
    }),
    { numRuns: 200 },
  );
  t.equal(
    openCheckpoint(signed, auditLogKey(witnessSigner.publicKey, verifier), verifier),
    undefined,
  );
});

t.test('nothing but notes, keys and checkpoints is read as such', async (t) => {
  const text = formatNoteKey(key, 'ed25519', verifier);
  t.same(parseNoteKey(text, 'ed25519', verifier), key);
  t.equal(parseNoteKey(text, 'cosignatureV1', verifier), undefined, 'another algorithm');
  t.equal(parseNoteKey(text.replace('vigo', 'vigp'), 'ed25519', verifier), undefined, 'key id');
  const bad = [
    '',
    'text',
    'text\n\n',
    'a\n\nno dash\n',
    'a\n\n\u2014 n !\n',
    'a\u0007\n\n\u2014 n AAAAAAA=\n',
  ];
  for (const each of bad) t.equal(parseNote(each), undefined, JSON.stringify(each));
  const hash = toBase64(new Uint8Array(32));
  t.ok(parseCheckpoint(`o\n0\n${hash}\nan extension\n`));
  for (const each of [
    `o\n01\n${hash}\n`,
    `o\n-1\n${hash}\n`,
    `\n1\n${hash}\n`,
    `o\n1\n${hash}`,
    'o\n1\nAA==\n',
  ])
    t.equal(parseCheckpoint(each), undefined, JSON.stringify(each));
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), (noise) => {
      parseNote(noise);
      parseCheckpoint(noise);
      parseNoteKey(noise, 'ed25519', verifier);
      return true;
    }),
    { numRuns: 200 },
  );
});

t.test('base64 is that of Node, and has one form', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      const text = toBase64(bytes);
      return (
        text === Buffer.from(bytes).toString('base64') &&
        Buffer.compare(fromBase64(text) ?? Buffer.from('x'), bytes) === 0
      );
    }),
    { numRuns: 100 },
  );
  fc.assert(
    fc.property(fc.string({ maxLength: 12 }), (text) => {
      const bytes = fromBase64(text);
      return bytes === undefined || toBase64(bytes) === text;
    }),
    { numRuns: 100 },
  );
});

const goPath = '/usr/share/gocode';
const goSources = `${goPath}/src/golang.org/x/mod/sumdb/note`;
const skip =
  requires('command:go') || (existsSync(goSources) ? false : 'needs golang-golang-x-mod-dev');

t.test("Go's transparency log verifies what Vigo signs and proves", { skip }, async (t) => {
  const tree = new GrowingTree(0, [], nodeSha256);
  const nodes = new Map<string, Uint8Array>();
  const entries = Array.from({ length: 23 }, (_, index) => `["entry",${index}]`);
  const notes: string[] = [];
  for (const entry of entries) {
    const leaf = leafHash(new TextEncoder().encode(entry), nodeSha256);
    for (const { level, position, hash } of tree.add(leaf)) nodes.set(`${level}/${position}`, hash);
    notes.push(signCheckpoint({ size: tree.size, root: tree.root }, logSigner));
  }
  const fold = (places: NodeFold) =>
    foldHashes(
      places.map(({ level, position }) => nodes.get(`${level}/${position}`)!),
      nodeSha256,
    );
  t.same(fold(frontierPlaces(23)), tree.root);
  const given = {
    key: formatNoteKey(key, 'ed25519', verifier),
    older: notes[12],
    newer: notes[22],
    index: 17,
    entry: entries[17],
    inclusion: inclusionFolds(17, 23).map((places) => toBase64(fold(places))),
    consistency: consistencyFolds(13, 23).map((places) => toBase64(fold(places))),
  };
  const source = new URL('go/verify.go', import.meta.url).pathname;
  const cache = mkdtempSync(join(tmpdir(), 'vigo-go-'));
  t.teardown(() => rmSync(cache, { recursive: true, force: true }));
  const verify = (input: unknown) =>
    spawnSync('go', ['run', source], {
      input: JSON.stringify(input),
      encoding: 'utf8',
      env: { ...process.env, GO111MODULE: 'off', GOPATH: goPath, GOCACHE: cache, GOFLAGS: '' },
    });
  const ended = verify(given);
  t.equal(ended.stdout.trim(), 'verified', ended.stderr);
});
