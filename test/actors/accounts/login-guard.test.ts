import t from 'tap';
import { guardLimit, LoginGuard } from '../../../actors/accounts/login-guard.ts';
import { fc } from '../../support/property.ts';

t.test('each failure after the free ones doubles the wait, up to a limit', (t) => {
  const guard = new LoginGuard();
  let nowMs = 0;
  const waits: number[] = [];
  for (let failure = 0; failure < 14; failure++) {
    const waitMs = guard.begin('ada', `address ${failure}`, nowMs);
    waits.push(waitMs);
    nowMs += waitMs;
    if (waitMs > 0) t.equal(guard.begin('ada', `address ${failure}`, nowMs), 0);
  }
  t.same(waits.slice(0, 7), [0, 0, 0, 0, 0, 0, 1000]);
  t.ok(waits.every((waitMs) => waitMs <= 60_000));
  t.equal(guard.begin('ada', 'elsewhere', nowMs), 60_000, 'whichever address it comes from');
  t.equal(guard.begin('eve', 'elsewhere', nowMs), 0, 'others are not held up');
  t.equal(guard.begin('ada', 'elsewhere', nowMs + 3_600_000), 0, 'an hour later it is forgotten');
  t.end();
});

t.test('an address that tries many names is held up, whoever it asks for next', (t) => {
  const guard = new LoginGuard();
  let nowMs = 0;
  let waited = 0;
  for (let name = 0; name < 60; name++) {
    const waitMs = guard.begin(`name ${name}`, 'here', nowMs);
    waited += waitMs;
    nowMs += waitMs;
    if (waitMs > 0) guard.begin(`name ${name}`, 'here', nowMs);
  }
  t.ok(waited > 3_600_000, 'sixty guesses take more than an hour');
  t.ok(guard.begin('ada', 'here', nowMs) > 0);
  t.equal(guard.begin('ada', 'elsewhere', nowMs), 0);
  t.end();
});

t.test('many tries at once gain nothing', (t) => {
  const guard = new LoginGuard();
  const waits = Array.from({ length: 100 }, () => guard.begin('ada', 'here', 0));
  t.equal(waits.filter((waitMs) => waitMs === 0).length, 6);
  t.end();
});

t.test('a success frees the name, and gives the address one try back, not all', (t) => {
  const guard = new LoginGuard();
  for (let round = 0; round < 200; round++) {
    guard.begin('mine', 'here', 0);
    guard.succeeded('mine', 'here');
  }
  t.equal(guard.begin('mine', 'here', 0), 0, 'who logs in often is not held up');
  const guesser = new LoginGuard();
  let guesses = 0;
  for (let round = 0; round < 200; round++) {
    if (guesser.begin(`name ${round}`, 'here', 0) === 0) guesses++;
    if (guesser.begin('mine', 'here', 0) === 0) guesser.succeeded('mine', 'here');
  }
  t.ok(guesses < 25, 'a password of the own does not buy guesses at others');
  t.end();
});

t.test('it remembers so many names and no more, and never waits longer than it says', (t) => {
  const guard = new LoginGuard();
  for (let at = 0; at < guardLimit + 500; at++) guard.begin(`n${at}`, `a${at}`, 0);
  t.equal(guard.size, 2 * guardLimit);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom('a', 'b'), fc.integer({ min: -1e9, max: 1e9 })), {
        maxLength: 60,
      }),
      (tries) => {
        const tried = new LoginGuard();
        return tries.every(([key, nowMs]) => {
          const waitMs = tried.begin(key, key, nowMs);
          return waitMs >= 0 && waitMs <= 900_000;
        });
      },
    ),
  );
  t.end();
});
