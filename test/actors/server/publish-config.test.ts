import t from 'tap';
import { parseConfig } from '../../../actors/server/config/load.ts';

function parse(text: string) {
  return parseConfig(text, { file: 'server.yaml', home: '/home/vigo' }).publish;
}

t.test('without a section a version reaches everybody at once, unapproved', async (t) => {
  t.match(parse(''), {
    approvalRequired: false,
    freezeWindows: [],
    rollout: { stages: [], observeMs: 0, threshold: 0.1, leastConverged: 0, onFailure: 'rollback' },
  });
});

t.test('what an owner sets is how versions come into force', async (t) => {
  const publish = parse(`publish:
  approval: required
  candidate_expiry: 2d
  freeze_windows: ["Fri 16:00-Mon 08:00 Europe/Berlin"]
  stages: ["canary-*,db-1", "5%"]
  observe: 10m
  threshold: 20
  least_converged: 90
  on_failure: pause
`);
  t.match(publish, {
    approvalRequired: true,
    candidateExpiryMs: 172_800_000,
    freezeWindows: [{ zone: 'Europe/Berlin' }],
    rollout: {
      stages: ['canary-*,db-1', '5%'],
      observeMs: 600_000,
      threshold: 0.2,
      leastConverged: 0.9,
      onFailure: 'pause',
    },
  });
});

t.test('a slip of the hand is found at the start, with its place', async (t) => {
  const bad = {
    'stages: ["5 %"]': 'percentages and globs',
    'stages: ["101%"]': 'percentages and globs',
    'freeze_windows: ["Friday"]': 'Fri 16:00-Mon 08:00',
    'threshold: 101': '0 to 100',
    'approval: yes': 'off or required',
    'on_failure: ignore': 'rollback or pause',
    'observe: 5ms': 'at least 1s',
  };
  for (const [line, expected] of Object.entries(bad)) {
    t.throws(
      () => parse(`publish:\n  ${line}\n`),
      { code: 'CONFIG_INVALID_VALUE', message: new RegExp(`server.yaml:2:.*${expected}`, 's') },
      line,
    );
  }
});
