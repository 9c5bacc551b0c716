import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import t from 'tap';
import { envoyIdFromCertificate } from '../../../actors/enrollment/identity.ts';
import { verifyAudit } from '../../../actors/server/commands/audit.ts';
import { initHome } from '../../../actors/server/commands/init.ts';
import { provision } from '../../../actors/server/commands/provision.ts';
import { homeLayout } from '../../../actors/server/home/layout.ts';
import { lockHome } from '../../../actors/server/home/lock.ts';
import { SinkQueries } from '../../../actors/sink/queries.ts';
import { temporaryDirectory } from '../support/temporary.ts';

interface Envoy {
  readonly envoyId: string;
  readonly hostname: string;
  readonly keyPem: string;
  readonly certificatePem: string;
}

function flags(home: string, out: string) {
  return { home, count: 7, prefix: 'bench-', first: 1, out };
}

t.test('provisioned identities are enrolled, audited and fit their keys', async (t) => {
  const home = join(temporaryDirectory(t), 'home');
  const out = join(temporaryDirectory(t), 'identities.json');
  await provision(flags(home, out), () => undefined);
  t.equal(statSync(out).mode & 0o777, 0o600, 'private keys are for the owner only');
  const { envoys } = JSON.parse(readFileSync(out, 'utf8')) as { envoys: Envoy[] };
  const layout = homeLayout(home);
  const authority = new X509Certificate(readFileSync(layout.caCertificate));
  t.equal(envoys.length, 7);
  for (const envoy of envoys) {
    const certificate = new X509Certificate(envoy.certificatePem);
    t.ok(certificate.verify(authority.publicKey));
    t.equal(envoyIdFromCertificate(certificate), envoy.envoyId);
  }
  const queries = new SinkQueries(layout.database);
  t.teardown(() => queries.close());
  t.equal(queries.envoys.page({ limit: 100 }).items.length, 7);
  t.equal((await verifyAudit({ home })).sequence, 1);
});

t.test('nothing is provisioned under a running server, or over an existing file', async (t) => {
  const home = temporaryDirectory(t);
  const out = join(home, 'out.json');
  await initHome(home);
  const lock = lockHome(homeLayout(home), 4711);
  await t.rejects(
    provision(flags(home, out), () => undefined),
    { code: 'HOME_LOCKED' },
  );
  lock.release();
  writeFileSync(out, 'mine');
  await t.rejects(
    provision(flags(home, out), () => undefined),
    { code: 'HOME_UNWRITABLE' },
  );
  t.equal(readFileSync(out, 'utf8'), 'mine');
});

t.test('an auditor finds what was changed in the database behind the server', async (t) => {
  const home = temporaryDirectory(t);
  await provision({ ...flags(home, join(home, 'a.json')), count: 1 }, () => undefined);
  await provision({ ...flags(home, join(home, 'b.json')), prefix: 'x-' }, () => undefined);
  const head = await verifyAudit({ home });
  const { database: file } = homeLayout(home);
  t.same(await verifyAudit({ database: file }, head.hash), head);
  const database = new Database(file);
  database.exec(
    'update audit_log set details = \'{"count":2,"last":"bench-2"}\' where sequence = 1',
  );
  await t.rejects(verifyAudit({ home }), { code: 'AUDIT_CHAIN_BROKEN', message: /sequence 1/ });
  database.exec('delete from audit_log where sequence = 1');
  await t.rejects(verifyAudit({ home }), { code: 'AUDIT_CHAIN_BROKEN' });
  database.exec('delete from audit_log');
  database.close();
  await t.rejects(verifyAudit({ home }, head.hash), { code: 'AUDIT_HEAD_MISMATCH' });
  await t.rejects(verifyAudit({ database: join(home, 'none.db') }), { code: 'AUDIT_UNREADABLE' });
});

t.test('init says what it made, and a second one that all is there', async (t) => {
  const home = temporaryDirectory(t);
  t.match(await initHome(home), [/made .*server\.yaml/]);
  t.match((await initHome(home))[0], 'is complete');
});
