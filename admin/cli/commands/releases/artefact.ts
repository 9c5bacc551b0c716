import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { createReadStream, createWriteStream, openSync, readFileSync, readSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import type { Signer } from '../../../../agent/protocol/crypto.ts';
import { AdminError } from '../../../errors.ts';

const gzipMagic = [0x1f, 0x8b];
const compressionLevel = 9;

export interface Measured {
  readonly size: number;
  readonly sha256: Buffer;
}

/** Runs with a gzip file: the given one, or one made of it that is removed afterwards. */
export async function withGzip<T>(file: string, run: (path: string) => Promise<T>): Promise<T> {
  if (isGzip(file)) return await run(file);
  const directory = await mkdtemp(join(tmpdir(), 'vigocli-release-'));
  try {
    const packed = join(directory, 'artefact.gz');
    await pack(file, packed);
    return await run(packed);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Compresses a program; a file that is compressed already is copied. */
export async function pack(file: string, to: string): Promise<void> {
  const source = createReadStream(file);
  const target = createWriteStream(to);
  if (isGzip(file)) await pipeline(source, target);
  else await pipeline(source, createGzip({ level: compressionLevel }), target);
}

export async function measure(file: string, unpacked: boolean): Promise<Measured> {
  const hash = createHash('sha256');
  let size = 0;
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      hash.update(chunk);
      done();
    },
  });
  if (unpacked) await pipeline(createReadStream(file), createGunzip(), sink);
  else await pipeline(createReadStream(file), sink);
  return { size, sha256: hash.digest() };
}

/** A signer from an Ed25519 key in PEM. Throws CLI_USAGE for any other. */
export function keySigner(file: string): Signer {
  const key = readKey(file);
  const der = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return {
    publicKey: new Uint8Array(der.subarray(-32)),
    sign: (message) => sign(null, message, key),
    sha256Into: (output, input) => output.set(createHash('sha256').update(input).digest()),
  };
}

function readKey(file: string): KeyObject {
  const pem = readable(() => readFileSync(file));
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch {
    // Told below.
  }
  const remedy = 'make one: openssl genpkey -algorithm ed25519 -out release.pem';
  throw new AdminError('CLI_USAGE', `${file} is no Ed25519 private key`, undefined, remedy);
}

function isGzip(file: string): boolean {
  const head = Buffer.alloc(2);
  readable(() => readSync(openSync(file, 'r'), head));
  return gzipMagic.every((byte, at) => head[at] === byte);
}

export function readable<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AdminError('CLI_FILE_UNREADABLE', reason);
  }
}
