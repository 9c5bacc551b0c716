import t from 'tap';
import type { ReleaseRollout } from '../../../actors/releases/rollout.ts';
import { afterFailure, inRollout, rolloutRow } from '../../../actors/releases/rollout.ts';
import { fc } from '../../support/property.ts';

const rollout: ReleaseRollout = {
  version: '0.2.0',
  revision: 5,
  status: 'running',
  percent: 10,
  match: ['canary-*'],
  from: [],
  trialCheckIns: 3,
  trialSeconds: 300,
  maxFailures: 2,
  failures: 0,
  failed: [],
  changedAtMs: 1,
  changedBy: 'admin:a',
  reason: '',
};
const release = {
  platform: 'linux-x64',
  signed: new Uint8Array(1),
  file: 'f',
  downloadSha256: '00',
  downloadSize: 1,
};

function reached(percent: number, ids: readonly string[], name = 'web-1'): number {
  const row = rolloutRow({ ...rollout, percent }, [release]);
  if (row === undefined) return 0;
  const test = inRollout(row);
  return ids.filter((id) => test(id, name, '0.1.0')).length;
}

t.test(
  'a share reaches about that part of the fleet, and a larger one the same and more',
  async (t) => {
    const ids = Array.from({ length: 4000 }, (_, at) => `envoy-${at}`);
    t.equal(reached(0, ids), 0);
    t.equal(reached(100, ids), ids.length);
    const tenth = reached(10, ids);
    t.ok(tenth > 300 && tenth < 500, `${tenth} of 4000`);
    t.equal(reached(0, ids, 'canary-7'), ids.length, 'names are in whatever the share');
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100 }), fc.nat(100), fc.string(), (low, more, id) => {
        return reached(low, [id]) <= reached(Math.min(100, low + more), [id]);
      }),
    );
  },
);

t.test('who is sent back are only those that run the version', async (t) => {
  const row = rolloutRow({ ...rollout, percent: 100, from: ['0.3.0'] }, [release]);
  const test = inRollout(row!);
  t.same([test('a', 'h', '0.3.0'), test('a', 'h', '0.1.0')], [true, false]);
  t.equal(rolloutRow({ ...rollout, status: 'stopped' }, [release]), undefined);
});

t.test(
  'a rollout pauses by itself when more envoys fail than may, each counted once',
  async (t) => {
    let state = rollout;
    for (const id of ['a', 'a', 'b']) state = afterFailure(state, id, 'AGENT_UPDATE_ENDED', 9);
    t.match(state, { status: 'running', failures: 2, revision: 5 });
    state = afterFailure(state, 'c', 'AGENT_UPDATE_ENDED', 9);
    t.match(state, { status: 'paused', failures: 3, revision: 6, changedBy: 'server' });
    t.match(state.reason, 'AGENT_UPDATE_ENDED');
    t.equal(afterFailure(state, 'd', '', 9), state, 'nor does the list grow without an end');
  },
);
