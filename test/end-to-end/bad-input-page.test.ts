import { existsSync, readFileSync } from 'node:fs';
import t from 'tap';
import { isAuditEventType } from '../../actors/audit/event-types.ts';

const project = new URL('../..', import.meta.url).pathname;
const read = (path: string): string => readFileSync(`${project}${path}`, 'utf8');
const page = read('docs/bad-input.md');
const words = [...page.matchAll(/`([^`]+)`/g)].map(([, word]) => word ?? '');

t.test('the page of bad input names only tests, codes and events that exist', async (t) => {
  const tests = words.filter((word) =>
    /^(actors|admin|agent|end-to-end|runtime)(\/[a-z-]+)+$/.test(word),
  );
  t.ok(tests.length > 30);
  const missing = tests.filter((name) => !existsSync(`${project}test/${name}.test.ts`));
  t.same(missing, []);
  const known = read('docs/errors.md') + read('docs/diagnostics.md');
  const codes = words.filter((word) => /^[A-Z]+(_[A-Z]+)+$/.test(word));
  t.same(
    codes.filter((code) => !new RegExp(`\\b${code}\\b`).test(known)),
    [],
  );
  const events = words.filter((word) => /^(enrollment|request|policy|agent)\.[a-z_]+$/.test(word));
  t.ok(events.length > 20);
  t.same(
    events.filter((event) => !isAuditEventType(event)),
    [],
  );
});
