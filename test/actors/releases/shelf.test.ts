import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { ReleaseShelf } from '../../../actors/releases/shelf.ts';
import { nodeReleaseFiles } from '../../../actors/server/node-release-files.ts';
import { nodeVerifier, pemSigner } from '../../../agent/platform/crypto.ts';
import { SignedRelease } from '../../../agent/protocol/gen/vigo/v1/release.ts';
import { signRelease } from '../../../agent/protocol/release.ts';

const where = { version: '0.2.0', platform: 'linux-x64' };

function newSigner() {
  const { privateKey } = generateKeyPairSync('ed25519');
  return pemSigner(privateKey.export({ format: 'pem', type: 'pkcs8' }).toString());
}

t.test('only what a trusted key signed, as it was sent, becomes a release', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'vigo-shelf-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const signer = newSigner();
  const keys = new Map([['server', signer.publicKey]]);
  const open = async () => {
    const shelf = new ReleaseShelf(nodeReleaseFiles(directory), keys, nodeVerifier());
    await shelf.load();
    return shelf;
  };
  const shelf = await open();
  const data = gzipSync(Buffer.alloc(5000, 'program'));
  await t.rejects(shelf.measure('0.2.0', 'linux-x64'), { code: 'RELEASE_UPLOAD' });
  await shelf.upload({ ...where, offset: 0, data: data.subarray(0, 20) });
  await t.rejects(shelf.upload({ ...where, offset: 30, data }), { code: 'RELEASE_UPLOAD' });
  await shelf.upload({ ...where, offset: 20, data: data.subarray(20) });
  await t.rejects(shelf.upload({ ...where, version: '../x', offset: 0, data }), {
    code: 'RELEASE_MALFORMED',
  });
  const measured = await shelf.measure('0.2.0', 'linux-x64');
  t.match(measured, { size: 5000, downloadSize: data.length });
  const signed = (by = signer, change: object = {}) => {
    const manifest = {
      ...where,
      ...measured,
      sha256: Buffer.from(measured.sha256),
      downloadSha256: Buffer.from(measured.downloadSha256),
      minimumAgent: '',
      downgradeFrom: [],
      createdAtMs: 1,
      releaseKeys: [],
      ...change,
    };
    const signature = Buffer.from(signRelease(manifest, by));
    return SignedRelease.encode({ manifest, signature }).finish();
  };
  await t.rejects(shelf.put(signed(newSigner()), measured), { code: 'RELEASE_SIGNATURE' });
  await t.rejects(shelf.put(signed(signer, { size: 4 }), measured), { code: 'RELEASE_MALFORMED' });
  await t.rejects(shelf.put(new Uint8Array(9).fill(255), measured), { code: 'RELEASE_MALFORMED' });
  await shelf.put(signed(), measured);
  t.match(
    readdirSync(directory).sort(),
    ['gz', 'json', 'release'].map((end) => `vigo-0.2.0-linux-x64.${end}`),
    'what the installer serves lies beside it',
  );
  const described = readFileSync(join(directory, 'vigo-0.2.0-linux-x64.json'), 'utf8');
  t.match(JSON.parse(described), { ...where, bytes: 5000 });
  const again = await open();
  t.equal(again.all.length, 1, 'and it is there after a restart');

  await again.upload({ ...where, offset: 0, data: gzipSync('another program') });
  const other = await again.measure('0.2.0', 'linux-x64');
  const changed = signed(signer, {
    size: other.size,
    sha256: Buffer.from(other.sha256),
    downloadSize: other.downloadSize,
    downloadSha256: Buffer.from(other.downloadSha256),
  });
  await t.rejects(again.put(changed, other), { code: 'RELEASE_EXISTS' });
});
