import t from 'tap';
import { nodeSigner } from '../../../agent/platform/crypto.ts';
import { UpdatePhase } from '../../../agent/protocol/gen/vigo/v1/release.ts';
import { trialLimit } from '../../../agent/update/updater.ts';
import { fc } from '../../support/property.ts';
import {
  type Behaviour,
  newVersion,
  oldVersion,
  program,
  type ReleaseChange,
  UpdateMachine,
} from './update-machine.ts';

async function cycles(machine: UpdateMachine, count: number): Promise<void> {
  for (let at = 0; at < count; at++) await machine.cycle();
}

async function started(change: ReleaseChange = {}): Promise<UpdateMachine> {
  const machine = new UpdateMachine();
  machine.order(change);
  await machine.boot();
  return machine;
}

function last(machine: UpdateMachine) {
  return machine.told.at(-1);
}

t.test('a good version is fetched once, proves itself, and stays', async (t) => {
  const machine = await started();
  await cycles(machine, 8);
  t.equal(machine.version, newVersion);
  t.equal(machine.programs.link, newVersion);
  t.same(
    machine.told.map(({ phase }) => phase),
    [
      UpdatePhase.UPDATE_PHASE_FETCHING,
      UpdatePhase.UPDATE_PHASE_TRIAL,
      UpdatePhase.UPDATE_PHASE_ACCEPTED,
    ].slice(-machine.told.length),
  );
  t.same(machine.incidents, []);
  await machine.boot();
  t.notOk(machine.programs.content.has('trial/vigo'), 'the trial is cleared away');
  t.ok(machine.programs.content.has(`${oldVersion}/vigo`), 'the version before is kept');
});

t.test(
  'a bad version gives way to the old one, is told with its cause, and is left alone',
  async (t) => {
    const cases: readonly [Behaviour, string][] = [
      ['no-start', 'AGENT_UPDATE_NO_START'],
      ['ends', 'AGENT_UPDATE_ENDED'],
      ['silent', 'AGENT_UPDATE_NO_CHECK_IN'],
    ];
    for (const [behaviour, code] of cases) {
      const machine = await started();
      const { update } = machine;
      machine.behaviour = behaviour;
      await cycles(machine, 12);
      t.match([machine.version, machine.programs.link], [oldVersion, oldVersion], behaviour);
      t.match(last(machine), { phase: UpdatePhase.UPDATE_PHASE_RETURNED, code }, behaviour);
      const begun = machine.trialsBegun;
      machine.update = update;
      await cycles(machine, 5);
      t.equal(machine.trialsBegun, begun, `${behaviour}: an order for the same release is no use`);
      machine.behaviour = 'good';
      machine.order({ manifest: { createdAtMs: 6 } });
      await cycles(machine, 10);
      t.equal(machine.version, newVersion, `${behaviour}: another release is`);
    }
  },
);

t.test('what is not signed, whole or fitting never runs', async (t) => {
  const stranger = nodeSigner(new Uint8Array(32).fill(9));
  const cases: readonly [string, ReleaseChange][] = [
    ['PROTOCOL_RELEASE_SIGNATURE', { signer: stranger }],
    ['PROTOCOL_RELEASE_DOWNGRADE', { manifest: { version: '0.0.9' } }],
    ['PROTOCOL_RELEASE_MINIMUM', { manifest: { minimumAgent: '0.1.5' } }],
    ['PROTOCOL_RELEASE_PLATFORM', { manifest: { platform: 'linux-arm64' } }],
    ['PROTOCOL_RELEASE_MALFORMED', { manifest: { version: '../0.2.0' } }],
    ['AGENT_UPDATE_HASH', { manifest: { downloadSha256: new Uint8Array(32) } }],
    ['AGENT_UPDATE_HASH', { manifest: { sha256: new Uint8Array(32) } }],
    ['AGENT_UPDATE_HASH', { manifest: { size: program.length - 1 } }],
  ];
  for (const [code, change] of cases) {
    const machine = await started(change);
    await cycles(machine, 6);
    t.match(last(machine), { phase: UpdatePhase.UPDATE_PHASE_FAILED, code }, code);
    t.match([machine.version, machine.trialsBegun], [oldVersion, 0], code);
  }
  const unsigned = new UpdateMachine();
  unsigned.order({ order: { envoyId: new Uint8Array(16) } });
  await unsigned.boot();
  await cycles(unsigned, 3);
  t.match([unsigned.incidents[0], unsigned.told], ['PROTOCOL_UPDATE_WRONG_ENVOY', []]);
});

t.test('a step back works when the release is signed as one', async (t) => {
  const machine = await started({ manifest: { version: '0.0.9', downgradeFrom: [oldVersion] } });
  await cycles(machine, 8);
  t.equal(machine.version, '0.0.9');
});

t.test('the new version that fails its own check is not started', async (t) => {
  const machine = await started();
  machine.programs.runs = () => ({ exitCode: 1, output: 'GLIBC_2.38 not found' });
  await cycles(machine, 4);
  t.match(last(machine), { code: 'AGENT_UPDATE_SELF_CHECK', message: /GLIBC/ });
  t.equal(machine.trialsBegun, 0);
});

t.test('while the server is away for both, the release is put off, not condemned', async (t) => {
  const machine = await started();
  await cycles(machine, 1);
  t.equal(machine.version, newVersion);
  machine.away = true;
  await cycles(machine, 5);
  t.equal(machine.version, oldVersion, 'the version that is known to work is back');
  machine.away = false;
  await cycles(machine, 12);
  t.ok(
    machine.told.some(({ phase }) => phase === UpdatePhase.UPDATE_PHASE_POSTPONED),
    'the server hears why',
  );
  t.equal(machine.version, newVersion, 'and the second trial succeeds');
});

t.test('a release that never got its chance is tried a few times, and then told', async (t) => {
  const machine = await started({ order: { trialCheckIns: 10 } });
  for (let round = 0; round < 8; round++) {
    machine.away = false;
    await cycles(machine, 3);
    machine.away = true;
    await cycles(machine, 6);
  }
  t.equal(machine.trialsBegun, trialLimit);
  machine.away = false;
  await cycles(machine, 4);
  const code = 'AGENT_UPDATE_TRIALS';
  t.match(last(machine), { phase: UpdatePhase.UPDATE_PHASE_RETURNED, code });
});

t.test('a full disk puts an update off, and never ends the agent', async (t) => {
  const machine = await started();
  machine.programs.full = true;
  await cycles(machine, 3);
  t.equal(machine.version, oldVersion);
  t.ok(machine.incidents.includes('AGENT_UPDATE_DISK'));
  machine.programs.full = false;
  await cycles(machine, 8);
  t.equal(machine.version, newVersion);
});

t.test(
  'an accepted release that names other keys is the last that the former key signed',
  async (t) => {
    const next = nodeSigner(new Uint8Array(32).fill(8));
    const machine = await started({ manifest: { releaseKeys: [next.publicKey] } });
    await cycles(machine, 8);
    t.equal(machine.version, newVersion);
    machine.order({ manifest: { version: '0.3.0' } });
    await cycles(machine, 4);
    t.match(last(machine), { code: 'PROTOCOL_RELEASE_SIGNATURE' });
    machine.order({ manifest: { version: '0.3.0', createdAtMs: 7 }, signer: next });
    await cycles(machine, 8);
    t.equal(machine.version, '0.3.0');
  },
);

t.test('power lost between any two steps of a good or a bad update ends well', async (t) => {
  for (const behaviour of ['good', 'no-start', 'silent'] as const) {
    const whole = await started();
    whole.behaviour = behaviour;
    await cycles(whole, 12);
    const steps = whole.power.steps;
    t.ok(steps > 10, `${steps} steps`);
    for (let at = 2; at <= steps * 2 + 1; at++) {
      const machine = await started();
      machine.behaviour = behaviour;
      machine.power.lostAt = at;
      await cycles(machine, 20);
      const wanted = behaviour === 'good' ? newVersion : oldVersion;
      if (machine.version !== wanted || machine.programs.link !== wanted)
        t.fail(`${behaviour}, power lost at ${at}: ${machine.version}, ${machine.programs.link}`);
      if (machine.programs.content.has('trial/cause')) t.fail(`${behaviour} at ${at}: trial left`);
    }
  }
});

const event = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ kind: 'cycle' as const }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('loss' as const), in: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('away' as const), on: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
);

t.test('whatever happens in whatever order, a version that works ends up running', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom<Behaviour>('good', 'no-start', 'ends', 'silent'),
      fc.array(event, { maxLength: 40 }),
      async (behaviour, events) => {
        const machine = await started();
        machine.behaviour = behaviour;
        for (const one of events) {
          if (one.kind === 'cycle') await machine.cycle();
          else if (one.kind === 'away') machine.away = one.on;
          else if (one.kind === 'restart') await machine.boot();
          else machine.power.lostAt = machine.power.steps * 2 + 2 + one.in;
        }
        machine.power.lostAt = Number.POSITIVE_INFINITY;
        machine.away = false;
        await cycles(machine, 40);
        const works = behaviour === 'good' || machine.version === oldVersion;
        const { link } = machine.programs;
        // Six starts and the last, refused one, per trial.
        const bounded = machine.trialsBegun <= trialLimit * 7;
        const before = machine.trialsBegun;
        await cycles(machine, 5);
        return works && link === machine.version && bounded && machine.trialsBegun === before;
      },
    ),
    { numRuns: 300 },
  );
  t.pass();
});
