import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Diagnostics } from '../../../actors/publish/stack/diagnostics.ts';
import { compileStack } from '../../../actors/publish/stack/stack.ts';
import { dayMs } from '../../../actors/server/certificate-authority.ts';
import { openHome } from '../../../actors/server/home/home.ts';
import { homeLayout } from '../../../actors/server/home/layout.ts';
import { lockHome } from '../../../actors/server/home/lock.ts';
import { stacksReadme } from '../../../actors/server/home/stacks-readme.ts';
import { startMs, testEnvironment } from '../support/environment.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const keyFiles = [
  'tls/ca.key.pem',
  'tls/ca.cert.pem',
  'keys/bundle-signing.key',
  'keys/admin-token',
];

function readKeys(home: string): string[] {
  return keyFiles.map((name) => readFileSync(join(home, name), 'utf8'));
}

t.test('the first start makes a whole home that only its owner can read', async (t) => {
  const home = join(temporaryDirectory(t), 'home');
  const opened = await openHome({ home, create: true }, testEnvironment());
  t.equal(statSync(home).mode & 0o777, 0o700);
  for (const name of ['tls/ca.key.pem', 'tls/server.key.pem', 'keys/admin-token', 'server.yaml']) {
    t.equal(statSync(join(home, name)).mode & 0o777, 0o600, name);
  }
  for (const name of readdirSync(home)) {
    if (statSync(join(home, name)).isDirectory()) {
      t.equal(statSync(join(home, name)).mode & 0o777, 0o700, name);
    }
  }
  const leaf = new X509Certificate(opened.serverCertificate.chainPem);
  for (const name of ['localhost', 'server.test']) t.ok(leaf.checkHost(name), name);
  for (const address of ['127.0.0.1', '::1', '10.1.2.3']) t.ok(leaf.checkIP(address), address);
  t.ok(leaf.verify(new X509Certificate(opened.certificateAuthority.certificatePem).publicKey));
  t.equal(opened.bundlePublicKey.length, 32);
  t.match(readFileSync(join(home, 'keys/admin-token'), 'utf8'), /^vgot_[\w-]{43}\n$/);
  t.notOk(JSON.stringify(opened).includes('vgot_'), 'the token is not carried around');
});

t.test('a second start changes nothing', async (t) => {
  const home = temporaryDirectory(t);
  const first = await openHome({ home, create: true }, testEnvironment());
  const keys = readKeys(home);
  const second = await openHome({ home, create: false }, testEnvironment());
  t.same(readKeys(home), keys);
  t.same(second.made, []);
  t.equal(second.serverCertificate.renewedBecause, undefined);
  t.equal(second.serverCertificate.chainPem, first.serverCertificate.chainPem);
});

t.test(
  'an init that was killed between any two files is completed with the keys it had',
  async (t) => {
    const whole = temporaryDirectory(t);
    await openHome({ home: whole, create: true }, testEnvironment());
    const order = [
      'server.yaml',
      ...keyFiles.slice(0, 2),
      'tls/server.key.pem',
      ...keyFiles.slice(2),
    ];
    for (let made = 0; made < order.length; made++) {
      const home = temporaryDirectory(t);
      await openHome({ home, create: true }, testEnvironment());
      rmSync(join(home, 'home.json'));
      rmSync(join(home, 'tls/server.cert.pem'));
      for (const name of order.slice(made)) rmSync(join(home, name));
      const kept = order.slice(0, made).map((name) => readFileSync(join(home, name), 'utf8'));
      await openHome({ home, create: true }, testEnvironment());
      t.same(
        order.slice(0, made).map((name) => readFileSync(join(home, name), 'utf8')),
        kept,
      );
      t.ok(statSync(join(home, 'home.json')).isFile());
    }
  },
);

t.test('a key that was lost later is named, never made anew', async (t) => {
  for (const name of keyFiles.slice(0, 3)) {
    for (const alsoMarker of [false, true]) {
      const home = temporaryDirectory(t);
      await openHome({ home, create: true }, testEnvironment());
      writeFileSync(homeLayout(home).database, '');
      if (alsoMarker) rmSync(join(home, 'home.json'));
      rmSync(join(home, name));
      await t.rejects(openHome({ home, create: true }, testEnvironment()), {
        code: 'HOME_DAMAGED',
        message: new RegExp(name.split('/')[1] ?? ''),
      });
      t.notOk(readdirSync(join(home, name, '..')).includes(name.split('/')[1] ?? ''), name);
    }
  }
});

t.test('a CA that is not the one of this home is refused', async (t) => {
  const [home, other] = [temporaryDirectory(t), temporaryDirectory(t)];
  await openHome({ home, create: true }, testEnvironment());
  await openHome({ home: other, create: true }, testEnvironment());
  const certificate = readFileSync(join(other, 'tls/ca.cert.pem'));
  writeFileSync(join(home, 'tls/ca.cert.pem'), certificate);
  await t.rejects(openHome({ home, create: true }, testEnvironment()), { code: 'HOME_DAMAGED' });
  writeFileSync(join(home, 'tls/ca.key.pem'), readFileSync(join(other, 'tls/ca.key.pem')));
  await t.rejects(openHome({ home, create: true }, testEnvironment()), { code: 'HOME_DAMAGED' });
});

t.test('the server certificate is renewed when a name is new or its end is near', async (t) => {
  const home = temporaryDirectory(t);
  await openHome({ home, create: true }, testEnvironment());
  const moved = await openHome(
    { home, create: false },
    testEnvironment({ addresses: ['fd00::7'] }),
  );
  t.match(moved.serverCertificate.renewedBecause, 'fd00::7');
  t.ok(new X509Certificate(moved.serverCertificate.chainPem).checkIP('fd00::7'));
  const later = testEnvironment({ nowMs: () => startMs + 350 * dayMs, addresses: ['fd00::7'] });
  const renewed = await openHome({ home, create: false }, later);
  t.match(renewed.serverCertificate.renewedBecause, 'ends soon');
  t.ok(
    Date.parse(new X509Certificate(renewed.serverCertificate.chainPem).validTo) >
      startMs + 700 * dayMs,
  );
});

t.test('a missing home is not made by a command that only reads', async (t) => {
  const home = join(temporaryDirectory(t), 'none');
  await t.rejects(openHome({ home, create: false }, testEnvironment()), { code: 'HOME_MISSING' });
});

t.test('one process at a time has the home; the next one learns which', async (t) => {
  const home = temporaryDirectory(t);
  const { layout } = await openHome({ home, create: true }, testEnvironment());
  const lock = lockHome(layout, 4711);
  t.throws(() => lockHome(layout, 4712), { code: 'HOME_LOCKED', message: /4711/ });
  lock.release();
  lockHome(layout, 4713).release();
});

t.test('a holder that was killed leaves no lock behind', async (t) => {
  const home = temporaryDirectory(t);
  const { layout } = await openHome({ home, create: true }, testEnvironment());
  const module = new URL('../../../actors/server/home/lock.ts', import.meta.url).href;
  const take = `import { lockHome } from '${module}';
    lockHome(${JSON.stringify(layout)}, process.pid);
    process.kill(process.pid, 'SIGKILL');`;
  const child = spawnSync(process.execPath, ['--input-type=module', '--eval', take]);
  t.equal(child.signal, 'SIGKILL');
  t.ok(existsSync(layout.pid), 'its process id is still written down');
  lockHome(layout, 4713).release();
});

t.test('the first stack that the new home proposes can be published as it stands', async (t) => {
  const samples = stacksReadme.matchAll(/say `(.+)`:\n\n((?: {4}.*\n|\n)+)/g);
  const files = new Map(
    [...samples].map(([, path, text]) => [path!, text!.replace(/^ {4}/gm, '')]),
  );
  t.same([...files.keys()], ['modules/motd.vgo', 'site.vgo']);
  const { result } = await compileStack(files, new Diagnostics());
  t.same(result.diagnostics, []);
  t.match(result, { modules: 1, resources: 1, entries: 1 });
});
