import t from 'tap';
import type { Principal } from '../../../admin/api/authenticate.ts';
import { eventReader } from '../../../admin/api/live/event-access.ts';
import { allPermissions } from '../../../admin/api/permissions.ts';
import { reachOf } from '../../../admin/api/policy-decision.ts';
import { scopeKey, scopeOf } from '../../../admin/api/scope.ts';
import { fc } from '../../support/property.ts';

const selector = fc.constantFrom('web-*', 'db-*', 'os.family=debian');
const principals: fc.Arbitrary<Principal> = fc
  .record(
    {
      name: fc.constantFrom('ann', 'bob'),
      role: fc.constantFrom('none', 'viewer', 'operator', 'approver', 'admin', 'auditor'),
      grants: fc.array(
        fc.record({ role: fc.constantFrom('viewer', 'operator'), envoys: selector }),
        { maxLength: 2 },
      ),
      permissions: fc.subarray([...allPermissions].slice(0, 4)),
      envoys: fc.array(selector, { maxLength: 2 }),
      mustChangePassword: fc.boolean(),
      sessionId: fc.constantFrom('one', 'other'),
      accountId: fc.constantFrom('a', 'b'),
    },
    { requiredKeys: ['name', 'role'] },
  )
  .map(
    (some) =>
      ({ ...some, by: `admin:${some.name}`, tokenId: undefined, expiresAtMs: 1 }) as Principal,
  );

function rightsOf(asker: Principal): string {
  return JSON.stringify(
    allPermissions.map((permission) => {
      const { everywhere, selectors } = reachOf(asker, permission);
      return [everywhere, selectors];
    }),
  );
}

t.test(
  'the same scope means the same rights, and a scope has all the rights of its people',
  (t) => {
    const known = new Map<string, string>();
    fc.assert(
      fc.property(principals, (asker) => {
        const rights = rightsOf(asker);
        const key = scopeKey(asker);
        t.equal(rightsOf(scopeOf(asker)), rights);
        t.equal(scopeKey(scopeOf(asker)), key);
        t.equal(known.get(key) ?? rights, rights, key);
        known.set(key, rights);
      }),
    );
    t.end();
  },
);

t.test('nothing of a scope tells whose it is', (t) => {
  const ann: Principal = {
    ...{ by: 'admin:ann', name: 'ann', role: 'admin', tokenId: 'token-1' },
    ...{ sessionId: 'session-1', accountId: 'account-1', expiresAtMs: 5 },
  };
  t.notMatch(JSON.stringify(scopeOf(ann)), /ann|token-1|session-1|account-1|5/);
  t.end();
});

t.test('a token without a right left shares no events with one that has no limit', (t) => {
  const admin: Principal = {
    ...{ by: 'admin:ann', name: 'ann', role: 'admin', tokenId: 't', expiresAtMs: undefined },
  };
  const key = (asker: Principal) => eventReader(asker, () => undefined).key;
  t.not(key({ ...admin, permissions: [] }), key(admin));
  t.not(key({ ...admin, envoys: [] }), key(admin));
  t.end();
});
