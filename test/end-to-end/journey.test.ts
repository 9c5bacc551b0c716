import { X509Certificate } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { ServerStatus } from '../../actors/server/status.ts';
import { certificateRequest } from '../../agent/identity/certificate-request.ts';
import { generateKeyPem, nodeVerifier, pemSigner } from '../../agent/platform/crypto.ts';
import { verifyDocument, verifyManifest } from '../../agent/protocol/manifest.ts';
import { register } from '../../agent/protocol/methods.ts';
import { uuidToBytes, uuidToText } from '../../agent/protocol/uuid.ts';
import { CallRefused, emptyOf, TestConnection, TestEnvoy } from '../support/test-envoy.ts';
import { TestDatabase } from './support/database.ts';
import { rest } from './support/rest.ts';
import { TestServer } from './support/server-process.ts';

function writeStack(server: TestServer, content: string): void {
  const { stacksDirectory } = server.home.layout;
  const files = {
    'modules/motd.vgo': `name: motd
resources:
  - name: motd
    type: file
    target_path: /tmp/motd
    content: "${content}"
`,
    'envoys/all.vgo': `- match: "web-*"
  modules: [motd]
`,
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(stacksDirectory, path, '..'), { recursive: true });
    writeFileSync(join(stacksDirectory, path), text);
  }
}

interface Enrolled {
  readonly envoy: TestEnvoy;
  readonly bundlePublicKey: Uint8Array;
  readonly token: string;
}

async function enroll(server: TestServer, hostname: string): Promise<Enrolled> {
  const made = await rest<{ token: string }>(server, 'POST', '/api/v1/tokens', {
    match: ['web-*'],
  });
  const { token } = made.body;
  const key = generateKeyPem();
  const authority = server.home.certificateAuthority.certificatePem;
  const port = server.run?.grpcPort ?? 0;
  const connection = new TestConnection(port, { authority });
  const request = register.request.encode({
    ...emptyOf(register.request),
    protocolVersion: 1,
    token,
    hostname,
    agentVersion: '0.1.0',
    certificateRequest: certificateRequest(hostname, pemSigner(key)),
  });
  const result = await connection.call(register.path, request.finish());
  connection.close();
  if (result.status !== 0) throw new CallRefused(result);
  const answer = register.response.decode(result.body);
  const certificate = new X509Certificate(answer.certificateChain[0]!).toString();
  const envoyId = uuidToText(answer.envoyId);
  const envoy = new TestEnvoy(envoyId, port, { authority, certificate, key });
  return { envoy, bundlePublicKey: answer.bundlePublicKey, token };
}

t.test('token, registration, publish, signed bundle, "same", revocation', async (t) => {
  const server = await TestServer.make(t);
  writeStack(server, 'hello');
  await server.start();
  const { envoy, bundlePublicKey } = await enroll(server, 'web-1');
  t.teardown(() => envoy.close());
  t.equal((await envoy.checkIn()).bundle, undefined, 'nothing is in force yet');

  const published = await rest<{ version: number }>(server, 'POST', '/api/v1/config/publish', {
    message: 'first',
  });
  t.equal(published.status, 200, JSON.stringify(published.body));
  let bundle: Awaited<ReturnType<TestEnvoy['checkIn']>>['bundle'];
  for (let round = 0; round < 50 && bundle === undefined; round++) {
    bundle = (await envoy.checkIn()).bundle;
    if (bundle === undefined) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  t.ok(bundle?.manifest, 'the machine gets its policy within a second');
  const manifest = bundle!.manifest!;
  verifyManifest(
    manifest,
    bundle!.signature,
    {
      envoyId: uuidToBytes(envoy.envoyId)!,
      publicKey: bundlePublicKey,
      nowMs: Date.now(),
    },
    nodeVerifier(),
  );
  const document = verifyDocument(bundle!.document, manifest.bundleRoot, nodeVerifier());
  t.equal(document.modules[0]?.resources[0]?.parameters.content, 'hello');

  const has = {
    policyVersion: manifest.policyVersion,
    bundleRoot: manifest.bundleRoot,
    bundleExpiresAtMs: manifest.expiresAtMs,
  };
  t.equal((await envoy.checkIn(has)).bundle, undefined, 'same');
  const soon = { ...has, bundleExpiresAtMs: Date.now() + 60_000 };
  const renewed = (await envoy.checkIn(soon)).bundle;
  t.equal(renewed?.document.length, 0, 'a manifest near its end is renewed without the document');
  const altered = (await envoy.checkIn({ ...has, bundleRoot: Buffer.alloc(32, 1) })).bundle;
  t.ok((altered?.document.length ?? 0) > 0, 'whoever enforces something else gets it again');

  const status = (await rest<ServerStatus>(server, 'GET', '/api/v1/status')).body;
  t.equal(status.totals.sqlStatementsOnPath, 0, 'no SQL on the path of a check-in');
  t.notOk(status.shards.some(({ sqlDriverLoaded }) => sqlDriverLoaded));
  t.equal(status.policyVersion, manifest.policyVersion);

  envoy.close();
  await server.signal('SIGTERM');
  rmSync(server.home.layout.stateDirectory, { recursive: true });
  envoy.moveTo((await server.start()).grpcPort);
  t.equal((await envoy.checkIn(has)).bundle, undefined, 'the policy survives the state directory');

  const revoked = await rest(server, 'POST', `/api/v1/envoys/${envoy.envoyId}/revoke`, {
    reason: 'lost',
  });
  t.equal(revoked.status, 200, JSON.stringify(revoked.body));
  const refused = await eventuallyRefused(envoy);
  t.equal(refused?.result.detail?.code, 'REQUEST_ENVOY_REVOKED');
  await server.kill();
  envoy.moveTo((await server.start()).grpcPort);
  t.equal((await eventuallyRefused(envoy))?.result.detail?.code, 'REQUEST_ENVOY_REVOKED');
  await server.signal('SIGTERM');
  const database = new TestDatabase(server.home.layout.database);
  const types = database.auditTypes();
  for (const type of [
    'token.created',
    'enrollment.accepted',
    'policy.published',
    'envoy.revoked',
  ]) {
    t.ok(types.includes(type), `${type} is in the audit log`);
  }
  await database.verifyAudit();
});

/** The connection is dropped at the moment of revocation; the next request tells why. */
async function eventuallyRefused(envoy: TestEnvoy): Promise<CallRefused | undefined> {
  for (let round = 0; round < 50; round++) {
    try {
      await envoy.checkIn();
    } catch (error) {
      if (error instanceof CallRefused && error.result.detail) return error;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return undefined;
}
