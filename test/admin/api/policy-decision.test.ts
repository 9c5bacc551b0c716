import t from 'tap';
import type { Principal } from '../../../admin/api/authenticate.ts';
import { nobody } from '../../../admin/api/authenticate.ts';
import { refuseBeyondOwn } from '../../../admin/api/hand-out.ts';
import { allPermissions, isAllowed, roles } from '../../../admin/api/permissions.ts';
import { permissionsSomewhere, reachOf } from '../../../admin/api/policy-decision.ts';
import { readSessionCookie, sessionCookie } from '../../../admin/api/session-cookie.ts';
import { fc } from '../../support/property.ts';

function asker(rest: Partial<Principal>): Principal {
  return {
    by: 'admin:a',
    name: 'a',
    role: 'none',
    tokenId: undefined,
    expiresAtMs: undefined,
    ...rest,
  };
}

const traits = (family: string) => () => JSON.stringify({ os: { family } });
const web1 = { id: 'a1', hostname: 'web-1', traits: traits('debian') };
const db1 = { id: 'a2', hostname: 'db-1', traits: traits('debian') };
const web2 = { id: 'a3', hostname: 'web-2', traits: traits('redhat') };

t.test('grants and the limit of a token meet', (t) => {
  const grants = [
    { role: 'operator', envoys: 'web-*' },
    { role: 'viewer', envoys: 'os.family=debian' },
  ] as const;
  const covered = (who: Principal, permission: Parameters<typeof reachOf>[1]) =>
    [web1, db1, web2].map((envoy) => reachOf(who, permission).covers(envoy));
  t.same(covered(asker({ grants }), 'envoys.read'), [true, true, true]);
  t.same(covered(asker({ grants }), 'tokens.write'), [true, false, true]);
  t.same(covered(asker({ grants }), 'envoys.revoke'), [false, false, false]);
  t.same(covered(asker({ grants, envoys: ['os.family=debian'] }), 'tokens.write'), [
    true,
    false,
    false,
  ]);
  t.same(covered(asker({ role: 'admin', envoys: ['db-*'] }), 'envoys.revoke'), [
    false,
    true,
    false,
  ]);
  t.same(covered(asker({ grants: [{ role: 'admin', envoys: '' }] }), 'envoys.read'), [
    false,
    false,
    false,
  ]);
  t.end();
});

t.test('no grant, limit or due password ever adds to what a role may do everywhere', (t) => {
  const principal = fc.record(
    {
      role: fc.constantFrom('none' as const, ...roles),
      grants: fc.array(
        fc.record({
          role: fc.constantFrom(...roles),
          envoys: fc.constantFrom('*', 'web-*', 'os.family=debian'),
        }),
      ),
      permissions: fc.subarray([...allPermissions]),
      envoys: fc.subarray(['*', 'web-*', 'db-*']),
      mustChangePassword: fc.boolean(),
    },
    { requiredKeys: ['role'] },
  );
  fc.assert(
    fc.property(principal, fc.constantFrom(...allPermissions), (given, permission) => {
      const who = asker(given);
      const { everywhere, covers } = reachOf(who, permission);
      if (permission === 'access.self') return everywhere;
      if (everywhere && !isAllowed(who.role, permission)) return false;
      if (who.mustChangePassword === true && covers(web1)) return false;
      if (who.permissions?.includes(permission) === false && covers(web1)) return false;
      return who.envoys === undefined || !everywhere;
    }),
  );
  const { everywhere, somewhere } = permissionsSomewhere(nobody, allPermissions);
  t.same([everywhere, somewhere], [[], []], 'whoever asks a public page has no right at all');
  t.end();
});

t.test('nobody hands out what they do not have', (t) => {
  const limited = asker({ role: 'admin', permissions: ['access.manage'] });
  t.throws(() => refuseBeyondOwn(limited, { role: 'viewer' }), { code: 'API_FORBIDDEN' });
  t.throws(() => refuseBeyondOwn(asker({ role: 'admin', envoys: ['*'] }), { role: 'admin' }));
  const grants = [{ role: 'admin', envoys: 'x' }] as const;
  t.throws(() => refuseBeyondOwn(asker({ role: 'operator' }), { grants }));
  t.doesNotThrow(() => refuseBeyondOwn(asker({ role: 'admin' }), { role: 'admin', grants }));
  t.end();
});

t.test('the session is read from one cookie of our name only', (t) => {
  t.equal(readSessionCookie('a=b; __Host-vigo_session=x; c=d'), 'x');
  for (const header of [
    undefined,
    '',
    'vigo_session=x',
    'x__Host-vigo_session=x',
    '__Host-vigo_session=a; __Host-vigo_session=b',
  ]) {
    t.equal(readSessionCookie(header), undefined, header ?? 'none');
  }
  const set = sessionCookie('t', 61_999);
  t.equal(set, '__Host-vigo_session=t; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=61');
  t.end();
});
