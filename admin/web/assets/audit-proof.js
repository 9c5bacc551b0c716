/**
 * Checks the audit log in the browser: that an entry stands under the signed checkpoint (RFC 6962),
 * that the checkpoint is signed, and that it continues the one that this browser saw last. So the
 * server's own word is not needed for the proof; whoever does not trust its pages either uses
 * `vigocli audit verify`.
 */

const encoder = new TextEncoder();
const leafPrefix = 0;
const nodePrefix = 1;
/** Of c2sp.org/signed-note: Ed25519 over the text. */
const ed25519 = 1;
const keyIdBytes = 4;
const hashBytes = 32;

export function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

async function sha256(...parts) {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
}

const nodeHash = (left, right) => sha256([nodePrefix], left, right);
const same = (one, other) =>
  one.length === other.length && one.every((byte, at) => byte === other[at]);
const isOdd = (value) => value % 2 === 1;

/** Division instead of a shift: logs may have more entries than 32 bits count. */
function climb(place) {
  place.node = Math.floor(place.node / 2);
  place.last = Math.floor(place.last / 2);
}

/** RFC 9162, 2.1.3.2. `entry`: the canonical text; the rest as the API answers it. */
export async function isIncluded({ entry, index, size, proof, root }) {
  if (!(index < size)) return false;
  let hash = await sha256([leafPrefix], encoder.encode(entry));
  const place = { node: index, last: size - 1 };
  for (const text of proof) {
    const sibling = bytesOf(text);
    if (place.last === 0 || sibling.length !== hashBytes) return false;
    if (isOdd(place.node) || place.node === place.last) {
      hash = await nodeHash(sibling, hash);
      while (!isOdd(place.node) && place.node !== 0) climb(place);
    } else hash = await nodeHash(hash, sibling);
    climb(place);
  }
  return place.last === 0 && same(hash, bytesOf(root));
}

/** RFC 9162, 2.1.4.2: the log of `newer` begins with all entries of `older` ({ size, root }). */
export async function isContinued(older, newer, proof) {
  const [oldRoot, newRoot] = [bytesOf(older.root), bytesOf(newer.root)];
  if (older.size > newer.size) return false;
  if (older.size === newer.size) return proof.length === 0 && same(oldRoot, newRoot);
  if (older.size === 0) return proof.length === 0;
  const hashes = proof.map(bytesOf);
  if (hashes.length === 0 || hashes.some(({ length }) => length !== hashBytes)) return false;
  let power = older.size;
  while (power > 1 && power % 2 === 0) power /= 2;
  const [first, ...rest] = power === 1 ? [oldRoot, ...hashes] : hashes;
  const place = { node: older.size - 1, last: newer.size - 1 };
  while (isOdd(place.node)) climb(place);
  let [oldHash, newHash] = [first, first];
  for (const sibling of rest) {
    if (place.last === 0) return false;
    if (isOdd(place.node) || place.node === place.last) {
      oldHash = await nodeHash(sibling, oldHash);
      newHash = await nodeHash(sibling, newHash);
      while (!isOdd(place.node) && place.node !== 0) climb(place);
    } else newHash = await nodeHash(newHash, sibling);
    climb(place);
  }
  return place.last === 0 && same(oldHash, oldRoot) && same(newHash, newRoot);
}

/**
 * Whether the key has signed the checkpoint and the note says this size and root; undefined when
 * this browser knows no Ed25519.
 */
export async function isSigned({ note, key, origin, size, root }) {
  const split = note.lastIndexOf('\n\n');
  const text = note.slice(0, split + 1);
  const [said, saidSize, saidRoot] = text.split('\n');
  if (said !== origin || saidSize !== String(size) || saidRoot !== root) return false;
  const name = key.slice(0, key.indexOf('+'));
  const encoded = bytesOf(key.slice(key.indexOf('+', name.length + 1) + 1));
  if (name !== origin || encoded[0] !== ed25519) return false;
  const keyId = (await sha256(encoder.encode(`${name}\n`), encoded)).slice(0, keyIdBytes);
  const publicKey = await importKey(encoded.slice(1));
  if (publicKey === undefined) return undefined;
  for (const line of note.slice(split + 2).split('\n')) {
    const [, signer, payload] = line.split(' ');
    if (signer !== name || payload === undefined) continue;
    const bytes = bytesOf(payload);
    if (!same(bytes.slice(0, keyIdBytes), keyId)) continue;
    const message = encoder.encode(text);
    if (await crypto.subtle.verify('Ed25519', publicKey, bytes.slice(keyIdBytes), message))
      return true;
  }
  return false;
}

function importKey(bytes) {
  return crypto.subtle.importKey('raw', bytes, 'Ed25519', false, ['verify']).catch(() => undefined);
}

// -- what this browser saw last ------------------------------------------------------------------

const memoryName = 'vigo.audit.seen';

function recall() {
  try {
    return JSON.parse(localStorage.getItem(memoryName) ?? 'null') ?? undefined;
  } catch {
    return undefined;
  }
}

/** [what was found, a sentence for people]; what was found is 'good', 'bad' or 'unknown'. */
async function compareWithSeen(checkpoint) {
  const seen = recall();
  const { key, size, root } = checkpoint;
  if (seen === undefined)
    return ['unknown', 'This browser had seen no checkpoint before; it remembers this one.'];
  if (seen.key !== key) {
    return [
      'bad',
      `The log has another key than the one that this browser saw at ${seen.size} entries.`,
    ];
  }
  if (size < seen.size) {
    return [
      'bad',
      `The log is shorter than what this browser saw: ${seen.size} entries, now ${size}.`,
    ];
  }
  const answer = await fetch(`/api/v1/audit/consistency?from=${seen.size}&to=${size}`, {
    headers: { accept: 'application/json' },
  });
  if (!answer.ok)
    return ['bad', `The server gave no proof that it continues what was seen (${answer.status}).`];
  const { proof } = await answer.json();
  const holds = await isContinued(seen, { size, root }, proof);
  return holds
    ? ['good', `It continues the log of ${seen.size} entries that this browser saw last.`]
    : [
        'bad',
        `It does not continue the log of ${seen.size} entries that this browser saw: it was rewritten.`,
      ];
}

async function signatureOf(checkpoint) {
  const signed = await isSigned(checkpoint);
  if (signed === undefined)
    return ['unknown', 'This browser knows no Ed25519: the signature was not checked.'];
  return signed
    ? ['good', 'The checkpoint is signed with the log’s key.']
    : ['bad', 'The signature of the checkpoint does not verify.'];
}

async function inclusionOf(data) {
  const { entry, index, size, proof, checkpoint } = data;
  const holds = await isIncluded({ entry, index, size, proof, root: checkpoint.root });
  return holds && size === checkpoint.size
    ? ['good', `Entry ${index + 1} stands under the checkpoint of ${size} entries.`]
    : ['bad', `Entry ${index + 1} does not stand under the checkpoint.`];
}

function tell(place, findings) {
  place.replaceChildren(
    ...findings.map(([found, words]) => {
      const item = document.createElement('li');
      item.className = `proof-${found}`;
      item.textContent = words;
      return item;
    }),
  );
  place.dataset.found = findings.some(([found]) => found === 'bad') ? 'bad' : 'good';
}

/** Remembers what was seen only when nothing speaks against it. */
async function check(place) {
  place.dataset.found = 'checking';
  const data = JSON.parse(place.dataset.auditProof);
  const checkpoint = data.checkpoint ?? data;
  const findings = data.entry === undefined ? [] : [await inclusionOf(data)];
  findings.push(await signatureOf(checkpoint), await compareWithSeen(checkpoint));
  tell(place, findings);
  if (place.dataset.found === 'bad') return;
  const { key, size, root } = checkpoint;
  localStorage.setItem(memoryName, JSON.stringify({ key, size, root }));
}

function checkAll() {
  for (const place of document.querySelectorAll('[data-audit-proof]:not([data-found])')) {
    check(place).catch((error) => tell(place, [['bad', `The check broke off: ${error.message}`]]));
  }
}

if (typeof document !== 'undefined') {
  checkAll();
  document.addEventListener('htmx:after:swap', checkAll);
}
