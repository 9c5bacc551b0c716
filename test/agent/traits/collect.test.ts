/** Without this an agent would stall on one dead disk, or burn its machine's time on what never changes. */
import t from 'tap';
import { collectTraits, createTraitCollection } from '../../../agent/traits/collect.ts';
import type { TraitCollector } from '../../../agent/traits/collector.ts';
import { arrange } from '../../support/simulated-machine.ts';
import { machineFiles, meminfo, traitMachine } from './trait-machine.ts';

function counting(name: string): TraitCollector & { calls: number } {
  return {
    name,
    calls: 0,
    async collect() {
      this.calls += 1;
      return { calls: this.calls };
    },
  };
}

t.test('volatile traits are fresh in every pass, others as often as documented', async (t) => {
  const { platform, clock } = traitMachine(t, {});
  const volatile = counting('loadavg');
  const stable = counting('dmi');
  const periodic = counting('cloud');
  const collection = createTraitCollection(platform, {
    collectors: [volatile, stable, periodic],
  });
  const passes = async (total: number, intervalMs: number) => {
    for (let pass = 0; pass < total; pass += 1) {
      clock.monotonicMs += intervalMs;
      await collection.collect();
    }
    const counts = [volatile.calls, stable.calls, periodic.calls];
    for (const one of [volatile, stable, periodic]) one.calls = 0;
    return counts;
  };
  t.same(await passes(21, 15_000), [21, 3, 1], 'every tenth pass at a quick pace');
  t.same(await passes(11, 60_000), [11, 2, 0], 'at a slow pace every five minutes');
  t.same(await passes(4, 1_800_000), [4, 4, 2], 'once an hour');
  await collection.collect(['cloud']);
  t.equal(periodic.calls, 1, 'who asks for one by name gets it fresh');
});

t.test('what is unchanged is the same object, so that nobody compares it', async (t) => {
  const { platform } = traitMachine(t);
  const collection = createTraitCollection(platform);
  const first = await collection.collect();
  const second = await collection.collect();
  for (const name of ['os', 'packages', 'kernel', 'blockdevices'])
    t.equal(first.traits[name], second.traits[name], name);
});

t.test('use of memory is that of the moment', async (t) => {
  const { root, platform } = traitMachine(t);
  const collection = createTraitCollection(platform);
  await collection.collect();
  arrange(root, { '/proc/meminfo': meminfo(490_000) });
  t.match((await collection.collect()).traits.memory, { percent: 51 });
});

t.test('an installed package shows in the next pass', async (t) => {
  const { root, platform } = traitMachine(t);
  const collection = createTraitCollection(platform);
  await collection.collect();
  const more = 'Package: web\nStatus: install ok installed\nArchitecture: all\nVersion: 2\n\n';
  arrange(root, { '/var/lib/dpkg/status': machineFiles['/var/lib/dpkg/status'] + more });
  const { traits } = await collection.collect();
  t.same(traits.packages, { cron: '3.0', 'docker.io': '20.10', web: '2' });
});

t.test('a collector that fails or hangs costs only its own trait', async (t) => {
  const { platform } = traitMachine(t, {});
  let started = 0;
  let answer: (value: number) => void = () => undefined;
  const collection = createTraitCollection(platform, {
    timeoutMs: 20,
    collectors: [
      { name: 'good', collect: async () => 1 },
      { name: 'none', collect: async () => undefined },
      { name: 'bad', collect: () => Promise.reject(new Error('no such thing')) },
      {
        name: 'careless',
        collect: () => {
          throw new Error('at once');
        },
      },
      {
        name: 'slow',
        collect: () => {
          started += 1;
          return new Promise((resolve) => {
            answer = resolve;
          });
        },
      },
    ],
  });
  const { traits, errors } = await collection.collect();
  t.same(traits, { good: 1 });
  t.match(errors, { bad: 'no such thing', careless: 'at once', slow: /in time/ });
  t.match((await collection.collect()).errors, { slow: /earlier pass/ });
  t.equal(started, 1, 'a hanging call is not joined by more of them');
  answer(2);
  await new Promise((resolve) => setImmediate(resolve));
  await collection.collect();
  t.equal(started, 2, 'once it ended there is another attempt');
});

t.test('one unreadable or hostile file costs one trait', async (t) => {
  const all = Object.keys((await collectTraits(traitMachine(t).platform)).traits);
  const hostile: readonly (readonly [string, string, readonly string[]])[] = [
    ['/proc/loadavg', 'load?', ['loadavg']],
    ['/run/cloud-init/instance-data.json', '{"v1":', ['cloud']],
    ['/etc/docker/daemon.json', 'not json', ['docker']],
  ];
  for (const [path, content, lost] of hostile) {
    const { platform } = traitMachine(t, { ...machineFiles, [path]: content });
    const { traits, errors } = await collectTraits(platform);
    t.same(Object.keys(errors), lost, path);
    t.same(
      all.filter((name) => name !== 'gpu' && !(name in traits)),
      lost,
      path,
    );
  }
});

t.test('a machine without any of the files is still described', async (t) => {
  const { platform } = traitMachine(t, {});
  const { traits, errors } = await collectTraits(platform);
  t.same(errors, {});
  t.match(traits, {
    os: { family: 'linux', arch: 'amd64' },
    network: { fqdn: 'web1' },
    cloud: { provider: 'none' },
    virtual: { is_virtual: false, is_container: false, type: 'none' },
    selinux: { enabled: false, mode: 'disabled' },
    timezone: { name: 'UTC', offset: '+00:00' },
    locale: { lang: 'C' },
  });
  const absent = ['packages', 'memory', 'hardware', 'dmi', 'docker', 'systemd', 'gpu', 'swap'];
  for (const name of [...absent, 'ports', 'security_scan']) t.notOk(name in traits, name);
});
