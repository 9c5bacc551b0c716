import t from 'tap';
import { chaosRun } from '../../perf/chaos/chaos-run.ts';
import { summarizeChaos } from '../../perf/chaos/summary.ts';
import { smallHost } from '../../perf/mixed/description.ts';
import { requires } from '../support/requires.ts';

const skip = requires('root', 'linux', 'command:systemd-nspawn', 'command:mmdebstrap');

// Mostly waiting for passes; the full form is `node perf/chaos.ts`.
t.setTimeout(400_000);

t.test(
  'what is undone by hand is repaired, told once, and nothing else is',
  { skip },
  async (t) => {
    const result = await chaosRun({
      ...{ hosts: 2, counts: smallHost, minutes: 0.35, intervalMs: 1500, pauseMs: 900, seed: 3 },
      ...{ actsBetween: 2, troubleLimitMs: 5000 },
    });
    const summary = summarizeChaos(result);
    t.comment(JSON.stringify(summary));
    const { unrepaired, falseChanges, untold, sequenceGaps, broken, pending } = summary;
    t.same(
      { unrepaired, falseChanges, untold, sequenceGaps, broken, pending },
      { unrepaired: [], falseChanges: [], untold: [], sequenceGaps: [], broken: [], pending: 0 },
    );
    t.ok(summary.drifts > 5, `${summary.drifts} things were undone`);
    t.match(
      Object.keys(summary.troubles).sort(),
      ['agent killed', 'disk full', 'network cut', 'rebooted'],
      'every kind of trouble came',
    );
  },
);
