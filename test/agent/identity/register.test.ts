import { randomBytes, randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { loadIdentity, saveIdentity } from '../../../agent/identity/identity.ts';
import { type Registration, registerNode } from '../../../agent/identity/register.ts';
import { parseFingerprint, pinOfToken } from '../../../agent/identity/server-pin.ts';
import { nodeParts } from '../../../agent/node-parts.ts';
import { NodeStateFiles } from '../../../agent/platform/node-state-files.ts';
import { toHex } from '../../../agent/protocol/bytes.ts';
import { register } from '../../../agent/protocol/methods.ts';
import { uuidToBytes } from '../../../agent/protocol/uuid.ts';
import { testAuthority } from '../../support/test-authority.ts';
import { FakeAgentServer, type FakeRefusal } from '../support/fake-agent-server.ts';

const authority = await testAuthority();
const { fingerprint, certificateDer } = authority.authority;
const envoyId = randomUUID();
const bundlePublicKey = randomBytes(32);

interface Change {
  readonly envoyId?: Uint8Array;
  readonly certificateChain?: Uint8Array[];
}

/** A fake server that signs with a real authority. Signing is asynchronous, so it happens before. */
async function serve(test: Test, answer: (() => Promise<Change>) | FakeRefusal = async () => ({})) {
  const server = await FakeAgentServer.start(authority);
  test.teardown(() => server.stop());
  const directory = mkdtempSync('/tmp/vigo-register-');
  test.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const files = new NodeStateFiles(directory);
  const keyPem = nodeParts.identityCrypto.generateKeyPem();
  const signer = nodeParts.identityCrypto.signer(keyPem);
  const leaf = await authority.authority.issueEnvoy(signer.publicKey, {
    envoyId,
    validityMs: 60_000,
  });
  const change = typeof answer === 'function' ? await answer() : undefined;
  server.handlers.set(register.path, (bytes) => {
    if (typeof answer !== 'function') return answer;
    const request = register.request.decode(bytes);
    test.equal(request.hostname, 'web-1');
    return register.response
      .encode({
        protocolVersion: 1,
        envoyId: uuidToBytes(envoyId)!,
        certificateChain: [leaf.der, certificateDer],
        bundlePublicKey,
        intervalMs: 15_000,
        serverTimeMs: 1,
        releasePublicKeys: [],
        traceparent: request.traceparent,
        ...change,
      })
      .finish();
  });
  const asBefore: Uint8Array[] = [];
  const run = (options: Partial<Registration> = {}) =>
    registerNode(
      {
        server: server.address,
        token: `vigo-token-1.secret.${fingerprint.slice(0, 32)}`,
        hostname: 'web-1',
        agentVersion: '0.1.0',
        force: false,
        ...options,
      },
      {
        files,
        crypto: { ...nodeParts.identityCrypto, generateKeyPem: () => keyPem },
        openChannel: nodeParts.openPinned,
        openAsBefore: (...proven) => {
          asBefore.push(proven[1].envoyId);
          return nodeParts.openMutual(...proven);
        },
        nowMs: () => 5,
        randomBytes,
      },
    );
  return { run, files, directory, server, keyPem, asBefore };
}

t.test('a node gets an identity that it finds again, with a key for its eyes only', async (t) => {
  const { run, files, directory, keyPem } = await serve(t);
  const identity = await run();
  t.same(await loadIdentity(files), identity);
  t.equal(toHex(identity.envoyId), envoyId.replaceAll('-', ''));
  t.equal(readFileSync(`${directory}/key.pem`, 'utf8'), keyPem);
  t.equal(statSync(`${directory}/key.pem`).mode & 0o777, 0o600);
  await t.rejects(run(), { code: 'AGENT_ALREADY_REGISTERED' });
  await t.resolves(run({ force: true }));
});

t.test('who registers again says who it was, to the same server only', async (t) => {
  const { run, files, asBefore, server } = await serve(t);
  const first = await run();
  t.same(asBefore, [], 'a new machine was nobody');
  await run({ force: true });
  t.same(asBefore, [first.envoyId]);
  const other = await testAuthority();
  await saveIdentity(files, { ...first, authorityPem: other.authority.certificatePem });
  await run({ force: true });
  t.equal(asBefore.length, 1, "another server's identity is shown to nobody");
  await saveIdentity(files, { ...first, certificatePem: 'damaged' });
  await t.resolves(run({ force: true }), 'what is damaged is replaced');
  t.equal(server.calls.length, 4);
});

t.test('without a pin no token leaves the node', async (t) => {
  const { run, server } = await serve(t);
  await t.rejects(run({ token: 'vigo-token-1.secret' }), { code: 'AGENT_SERVER_NOT_PINNED' });
  const wrong = `vigo-token-1.secret.${'0'.repeat(32)}`;
  await t.rejects(run({ token: wrong }), { code: 'AGENT_SERVER_PIN_MISMATCH' });
  t.same(server.calls, []);
  const pin = parseFingerprint(`SHA256:${fingerprint.toUpperCase().replace(/..(?!$)/g, '$&:')}`);
  await t.resolves(run({ token: 'vigo-token-1.secret', pin }));
});

t.test('answers that do not fit are refused and nothing is stored', async (t) => {
  const other = await testAuthority();
  const key = nodeParts.identityCrypto.signer(nodeParts.identityCrypto.generateKeyPem());
  const grant = { envoyId, validityMs: 60_000 };
  const foreignKey = await authority.authority.issueEnvoy(key.publicKey, grant);
  const foreignCa = await other.authority.issueEnvoy(key.publicKey, grant);
  const answers: [string, Change][] = [
    ['PROTOCOL_MALFORMED', { envoyId: new Uint8Array(3) }],
    ['AGENT_IDENTITY_BROKEN', { certificateChain: [foreignKey.der, certificateDer] }],
    ['AGENT_IDENTITY_BROKEN', { certificateChain: [] }],
    ['AGENT_IDENTITY_BROKEN', { certificateChain: [new Uint8Array(9)] }],
    [
      'AGENT_IDENTITY_BROKEN',
      { certificateChain: [foreignCa.der, other.authority.certificateDer] },
    ],
  ];
  for (const [code, change] of answers) {
    const { run, files } = await serve(t, async () => change);
    await t.rejects(run(), { code });
    await t.rejects(loadIdentity(files), { code: 'AGENT_NOT_REGISTERED' });
  }
  const { run } = await serve(t, { status: 7, code: 'ENROLLMENT_TOKEN_USED' });
  await t.rejects(run(), { code: 'AGENT_SERVER_REFUSED', message: /ENROLLMENT_TOKEN_USED/ });
});

t.test('a damaged or exposed identity is not used', async (t) => {
  const { run, files, directory } = await serve(t);
  await run();
  chmodSync(`${directory}/key.pem`, 0o644);
  await t.rejects(loadIdentity(files), { code: 'AGENT_IDENTITY_EXPOSED' });
  chmodSync(`${directory}/key.pem`, 0o600);
  for (const text of ['', '{', '{}']) {
    writeFileSync(`${directory}/envoy.json`, text);
    await t.rejects(loadIdentity(files), { code: 'AGENT_IDENTITY_BROKEN' });
  }
});

t.test('pins are read from tokens and fingerprints only when whole', async (t) => {
  t.equal(pinOfToken('vigo-token-1.secret.abc'), undefined);
  t.equal(pinOfToken(`other.secret.${'a'.repeat(32)}`), undefined);
  t.throws(() => parseFingerprint('sha256:abcd'), { code: 'AGENT_USAGE' });
});
