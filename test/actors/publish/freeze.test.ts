import t from 'tap';
import { freezeAt, parseFreezeWindow } from '../../../actors/publish/freeze.ts';

const at = (text: string) => Date.parse(text);

t.test('a window holds in its own time zone, over the end of the week too', async (t) => {
  const window = parseFreezeWindow('Fri 16:00-Mon 08:00 Europe/Berlin')!;
  const frozen = (time: string) => freezeAt({}, [window], at(time)) !== undefined;
  t.notOk(frozen('2026-07-03T13:59:00Z'), 'Friday 15:59 in summer');
  t.ok(frozen('2026-07-03T14:00:00Z'), 'Friday 16:00');
  t.ok(frozen('2026-07-05T23:00:00Z'));
  t.ok(frozen('2026-07-06T05:59:59Z'), 'Monday 07:59');
  t.notOk(frozen('2026-07-06T06:00:00Z'));
  t.notOk(frozen('2026-01-02T14:59:00Z'), 'in winter an hour later');
  t.ok(frozen('2026-01-02T15:00:00Z'));
  t.match(freezeAt({}, [window], at('2026-07-04T10:00:30Z')), {
    sinceMs: at('2026-07-03T14:00:00Z'),
    untilMs: at('2026-07-06T06:00:00Z'),
  });
});

t.test('what is no window is refused when the configuration is read', async (t) => {
  for (const bad of [
    '',
    'Fri 16:00',
    'Fri 16:00-Mon 25:00',
    'Fre 16:00-Mon 08:00',
    'Fri 16:00-Fri 16:00',
    'Mon 00:00-Tue 00:00 Mars/Base',
  ]) {
    t.equal(parseFreezeWindow(bad), undefined, bad);
  }
  t.ok(parseFreezeWindow('Mon 00:00-Tue 24:00'));
});

t.test('an ordered freeze comes before a window, and a lifted window is none', async (t) => {
  const window = parseFreezeWindow('Mon 00:00-Sun 24:00');
  t.equal(window, undefined, 'always frozen is no window');
  const monday = parseFreezeWindow('Mon 00:00-Tue 00:00')!;
  const now = at('2026-07-06T12:00:00Z');
  const freeze = { reason: 'fair', by: 'admin:ann', sinceMs: now, untilMs: now + 1 };
  t.match(freezeAt({ freeze }, [monday], now), { reason: 'fair' });
  t.match(freezeAt({ freeze }, [monday], now + 1), { by: 'server.yaml' });
  t.equal(freezeAt({ windowLiftedUntilMs: now + 5 }, [monday], now), undefined);
});
