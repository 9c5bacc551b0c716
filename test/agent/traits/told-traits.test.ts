/** Without this every envoy of a fleet would send its traits at every check-in, as its load changes. */

import t, { type Test } from 'tap';
import { nodeVerifier } from '../../../agent/platform/crypto.ts';
import type { PolicyValue } from '../../../agent/protocol/bundle.ts';
import { toHex } from '../../../agent/protocol/bytes.ts';
import { traitsLimit } from '../../../agent/protocol/limits.ts';
import { createTraitCollection } from '../../../agent/traits/collect.ts';
import { ToldTraits, toldTraitsFileName } from '../../../agent/traits/told-traits.ts';
import { fc } from '../../support/property.ts';
import { arrange } from '../../support/simulated-machine.ts';
import { MemoryFiles } from '../support/memory-files.ts';
import { machineFiles, meminfo, traitMachine } from './trait-machine.ts';

type Traits = Readonly<Record<string, PolicyValue>>;

/** An agent's share of one machine, whose time the test moves. */
function toldMachine(t: Test, files = new MemoryFiles()) {
  const machine = traitMachine(t);
  const collection = createTraitCollection(machine.platform);
  const errors: unknown[] = [];
  const restarted = () =>
    new ToldTraits({
      files,
      hash: nodeVerifier(),
      nowMs: () => machine.clock.nowMs,
      isNews: collection.isNews,
      random: () => 0.5,
      onError: (error) => errors.push(error),
    });
  let told = restarted();
  return {
    ...machine,
    files,
    errors,
    restart: () => {
      told = restarted();
    },
    /** One pass and one check-in, so much later; the hash that the server sees. */
    pass: async (laterMs = 15_000, change?: (traits: Traits) => Traits) => {
      machine.clock.nowMs += laterMs;
      machine.clock.monotonicMs += laterMs;
      const { traits } = await collection.collect();
      const { hash, json } = await told.document(change?.(traits) ?? traits);
      return { hash: toHex(hash), json: new TextDecoder().decode(json) };
    },
  };
}

t.test('time, load and a little memory are no news', async (t) => {
  const { root, pass } = toldMachine(t);
  const first = await pass();
  for (let round = 1; round <= 30; round += 1) {
    arrange(root, {
      '/proc/loadavg': `${round}.5 0.58 0.59 3/602 1234\n`,
      '/proc/uptime': `${3600 + round * 15}.5 1.0\n`,
      '/proc/meminfo': meminfo(500_000 - round * 1000),
      '/run/systemd/sessions/1': `USER=user${round}\nCLASS=user\nSTATE=active\n`,
    });
    t.equal((await pass()).hash, first.hash, `pass ${round}`);
  }
});

t.test('news are told at the next check-in', async (t) => {
  const news: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
    [
      'a package',
      { '/var/lib/dpkg/status': 'Package: a\nStatus: install ok installed\nVersion: 1\n' },
    ],
    ['an account', { '/etc/passwd': 'root:x:0:0:root:/root:/bin/bash\n' }],
    ['a tenth of the memory', { '/proc/meminfo': meminfo(390_000) }],
    ['a mount', { '/proc/self/mounts': '/dev/vda1 / ext4 rw 0 0\n' }],
    ['a service that stopped to listen', { '/proc/net/tcp': '' }],
    ['swap that is gone', { '/proc/swaps': 'Filename\n' }],
  ];
  for (const [what, files] of news) {
    const { root, pass } = toldMachine(t);
    const first = await pass();
    arrange(root, files);
    t.not((await pass()).hash, first.hash, what);
  }
});

t.test('a stable trait is told once it is looked at again', async (t) => {
  const { root, pass } = toldMachine(t);
  const { hash } = await pass();
  arrange(root, { '/proc/sys/kernel/osrelease': '6.2\n' });
  t.equal((await pass()).hash, hash);
  for (let round = 0; round < 9; round += 1) await pass();
  t.match((await pass()).json, '"release":"6.2"');
});

t.test('without news the document is renewed every hour', async (t) => {
  const { pass } = toldMachine(t);
  const first = await pass();
  t.equal((await pass(59 * 60_000)).hash, first.hash);
  t.not((await pass(2 * 60_000)).hash, first.hash);
});

t.test('a clock that is set back does not hold the document', async (t) => {
  const { pass } = toldMachine(t);
  const first = await pass();
  const second = await pass(-86_400_000);
  t.not(second.hash, first.hash);
  t.equal((await pass()).hash, second.hash);
});

t.test('a restart is no news, nor is a full disk', async (t) => {
  const { pass, restart, files, errors } = toldMachine(t);
  const first = await pass();
  restart();
  t.equal((await pass()).hash, first.hash);
  files.full = true;
  await pass(7_200_000);
  t.equal(errors.length, 1, 'it is told');
  files.content.set(toldTraitsFileName, new TextEncoder().encode('{"atMs":'));
  restart();
  t.match((await pass()).json, '"os"', 'what is damaged is made anew');
});

t.test('something that flaps does not flood the server', async (t) => {
  const { pass } = toldMachine(t);
  const hashes = new Set<string>();
  for (let round = 0; round < 120; round += 1) {
    const flapping = (traits: Traits) => ({ ...traits, os: { family: `${round}` } });
    hashes.add((await pass(30_000, flapping)).hash);
  }
  t.ok(hashes.size >= 10, 'the first ones are told');
  t.ok(hashes.size <= 24, `${hashes.size} documents in an hour`);
});

t.test('a document that the server would refuse loses its largest traits', async (t) => {
  const { pass } = toldMachine(t);
  const packages = Object.fromEntries(
    Array.from({ length: 40_000 }, (_, at) => [`package-${at}`, 'x'.repeat(30)]),
  );
  const { json } = await pass(0, (traits) => ({ ...traits, packages }));
  t.ok(new TextEncoder().encode(json).length <= traitsLimit);
  t.match(json, '"os":');
  t.notMatch(json, 'package-1');
});

t.test('whatever was told: the hash is that of the document', async () => {
  const value = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<PolicyValue>;
  const documents = fc.array(fc.dictionary(fc.string(), value), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(documents, async (list) => {
      let nowMs = 0;
      const told = new ToldTraits({
        files: new MemoryFiles(),
        hash: nodeVerifier(),
        nowMs: () => nowMs,
        isNews: (_, before, now) => before !== now,
        random: () => 0,
        onError: () => undefined,
      });
      for (const traits of list) {
        nowMs += 300_000;
        const { json, hash } = await told.document(traits as Traits);
        const digest = new Uint8Array(32);
        nodeVerifier().sha256Into(digest, json);
        if (toHex(digest.slice(0, 16)) !== toHex(hash)) return false;
      }
      return true;
    }),
    { numRuns: 50 },
  );
});

t.test('port numbers of the moment are no news', async (t) => {
  const { root, pass } = toldMachine(t);
  const first = await pass();
  const line =
    '   1: 00000000:C351 00000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 900 2 0 0\n';
  arrange(root, { '/proc/net/udp': machineFiles['/proc/net/udp'] + line });
  t.equal((await pass()).hash, first.hash);
  t.match((await pass(5_000_000)).json, '"port":50001', 'it is told with the next document');
});
