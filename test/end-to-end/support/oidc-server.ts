import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testClient } from '../../support/openid-provider.ts';
import { TestServer } from './server-process.ts';

/** A server that logs people in by a provider, and a directory of the test's own; not started. */
export async function serverWithProvider(
  t: Parameters<typeof TestServer.make>[0],
  issuer: string,
  set: readonly string[],
): Promise<{ server: TestServer; work: string }> {
  const work = mkdtempSync(join(tmpdir(), 'vigo-oidc-'));
  t.teardown(() => rmSync(work, { recursive: true, force: true }));
  const secretFile = join(work, 'secret');
  writeFileSync(secretFile, testClient.secret);
  const server = await TestServer.make(t, {
    shards: 1,
    set: [
      `oidc.issuer=${issuer}`,
      `oidc.client_id=${testClient.id}`,
      `oidc.client_secret_file=${secretFile}`,
      ...set,
    ],
  });
  return { server, work };
}
