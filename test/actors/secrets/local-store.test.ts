import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import {
  decodeSecret,
  encodeSecret,
  masterKey,
  type StoredSecret,
} from '../../../actors/secrets/local/format.ts';
import { keptVersions, LocalStore } from '../../../actors/secrets/local/store.ts';
import type { Disk } from '../../../runtime/ports/disk.ts';
import { nodePorts } from '../../../runtime/ports/node-ports.ts';
import { SimulatedDisk } from '../../../runtime/simulate/simulated-disk.ts';
import { fc } from '../../support/property.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const { random } = nodePorts();
const key = masterKey(random.bytes(32));

function open(root: string, disk: Disk = nodePorts().disk, modeOf = realMode) {
  return LocalStore.open({
    disk,
    random,
    nowMs: () => 1_900_000_000_000,
    modeOf,
    directory: join(root, 'secrets'),
    keyFile: join(root, 'secrets.key'),
  });
}

async function realMode(file: string): Promise<number> {
  return (await stat(file)).mode;
}

t.test('what is written comes back after a restart, with its former versions', async (t) => {
  const root = temporaryDirectory(t);
  const store = await open(root);
  await t.rejects(store.write('a', 'x', 'admin:me'), { code: 'SECRETS_NOT_INITIALISED' });
  t.same(await store.list(), []);
  await store.initialise();
  await t.rejects(store.initialise(), { code: 'SECRETS_ALREADY_INITIALISED' });
  for (let turn = 1; turn <= keptVersions + 2; turn += 1)
    t.equal(await store.write('db/password', `value ${turn}`, 'admin:me'), turn);
  await store.write('db', 'beside its own branch', 'admin:me');
  const again = await open(root);
  t.equal(await again.read('db/password'), `value ${keptVersions + 2}`);
  t.equal(await again.read('db'), 'beside its own branch');
  t.equal(await again.read('gone'), undefined);
  t.equal(await again.exists('db/password'), true);
  t.equal(await again.exists('db/password#field'), false, 'it has no fields');
  await t.rejects(again.write('db#f', 'x', 'me'), { code: 'SECRETS_BAD_PATH' });
  t.match(await again.list(), [
    { path: 'db', version: 1, versions: 1, updatedBy: 'admin:me' },
    { path: 'db/password', version: keptVersions + 2, versions: keptVersions },
  ]);
  t.equal(statSync(join(root, 'secrets.key')).mode & 0o777, 0o600);
  for (const name of readdirSync(join(root, 'secrets'))) {
    const content = readFileSync(join(root, 'secrets', name), 'latin1');
    t.notMatch(content, 'value', `${name} is encrypted`);
    t.equal(statSync(join(root, 'secrets', name)).mode & 0o777, 0o600);
  }
});

t.test('a key that others may read, a broken one and a lost one stop the start', async (t) => {
  const root = temporaryDirectory(t);
  const file = join(root, 'secrets.key');
  await (await open(root)).initialise();
  await (await open(root)).write('a', 'x', 'me');
  for (const mode of [0o640, 0o604, 0o660, 0o601]) {
    chmodSync(file, mode);
    await t.rejects(open(root), { code: 'SECRETS_FILE_EXPOSED' }, mode.toString(8));
  }
  chmodSync(file, 0o600);
  const good = readFileSync(file);
  writeFileSync(file, 'not a key');
  await t.rejects(open(root), { code: 'SECRETS_KEY_MALFORMED' });
  writeFileSync(file, `${'ab'.repeat(32)}\n`);
  await t.rejects((await open(root)).read('a'), { code: 'SECRETS_WRONG_KEY' });
  const { rmSync } = await import('node:fs');
  rmSync(file);
  await t.rejects(open(root), { code: 'SECRETS_KEY_LOST' }, 'no new key is made over old secrets');
  t.notOk(existsSync(file));
  writeFileSync(file, good, { mode: 0o600 });
  t.equal(await (await open(root)).read('a'), 'x');
});

t.test('a file that was cut or altered gives a coded error, never another value', async (t) => {
  const secret: StoredSecret = {
    versions: [{ version: 1, value: 'the value', createdAtMs: 1, by: 'me' }],
  };
  const keys = new Map([[key.id, key]]);
  const file = encodeSecret('a/b', secret, key, random.bytes(12));
  t.same(decodeSecret('a/b', file, keys), secret);
  t.throws(() => decodeSecret('a/c', file, keys), { code: 'SECRETS_DAMAGED' }, 'moved elsewhere');
  const coded = /^SECRETS_(DAMAGED|WRONG_KEY)$/;
  const refused = (bytes: Uint8Array) => {
    try {
      decodeSecret('a/b', bytes, keys);
    } catch (error) {
      return coded.test(String((error as { code?: string }).code));
    }
    return false;
  };
  fc.assert(
    fc.property(fc.nat(file.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const changed = Uint8Array.from(file);
      changed[at] = changed[at]! ^ flip;
      return refused(changed) && refused(file.subarray(0, at));
    }),
    { numRuns: 500 },
  );
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), refused), { numRuns: 300 });
});

t.test('a new master key takes over whatever is interrupted', async (t) => {
  const values = { a: 'one', 'b/c': 'two', d: 'three' };
  /** Operations of a whole rekey on this disk. */
  for (let failing = 1; failing <= 40; failing += 1) {
    const disk = new SimulatedDisk();
    const store = await open('/s', disk, async () => 0o600);
    await store.initialise();
    for (const [path, value] of Object.entries(values)) await store.write(path, value, 'me');
    const before = new TextDecoder().decode(await disk.read('/s/secrets.key'));
    disk.failNth = failing;
    const done = await store.rekey().then(
      () => true,
      () => false,
    );
    disk.failNth = 0;
    for (const [path, value] of Object.entries(values))
      t.equal(await store.read(path), value, `${path} goes on when operation ${failing} fails`);
    const again = await open('/s', disk, async () => 0o600);
    for (const [path, value] of Object.entries(values))
      t.equal(await again.read(path), value, `${path} after a restart`);
    const after = new TextDecoder().decode(await disk.read('/s/secrets.key'));
    if (after !== before) t.notOk(await disk.exists('/s/secrets.key.next'), 'nothing is left over');
    if (!done) continue;
    t.not(after, before, 'the key is a new one');
    t.ok(failing > 5, 'failures were tried before');
    return;
  }
  t.fail('a rekey has more operations than were tried');
});
