import t from 'tap';
import { checkCursor, pageOfAll } from '../../../../admin/api/http/whole-list.ts';
import { fc } from '../../../support/property.ts';

t.test('pages of a list that changes show every row that stays, once and in order', (t) => {
  const lists = fc.record({
    rows: fc.uniqueArray(fc.string({ maxLength: 8 }), { maxLength: 40 }),
    limit: fc.integer({ min: 1, max: 7 }),
    gone: fc.nat({ max: 5 }),
  });
  fc.assert(
    fc.property(lists, ({ rows, limit, gone }) => {
      let now: readonly string[] = rows;
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = pageOfAll(now, { limit, cursor }, (row) => row);
        seen.push(...page.items);
        cursor = page.next;
        checkCursor(cursor);
        // A new row on top; one that was not shown yet goes away.
        const hidden = now.filter((row) => !seen.includes(row))[gone];
        now = [`new ${seen.length}`, ...now.filter((row) => row !== hidden)];
      } while (cursor !== undefined);
      const stayed = rows.filter((row) => now.includes(row));
      const shown = seen.filter((row) => stayed.includes(row));
      return shown.join('|') === stayed.join('|');
    }),
  );
  t.end();
});

t.test('a cursor that is none, or whose row is gone, is refused', (t) => {
  for (const wrong of ['', 'x', 'W10x', '%%%', Buffer.from('{"a":1}').toString('base64url')]) {
    t.throws(() => checkCursor(wrong), { code: 'API_BAD_REQUEST' }, wrong);
  }
  const { next } = pageOfAll(['a', 'b'], { limit: 1 }, (row) => row);
  t.throws(() => pageOfAll(['b'], { limit: 1, cursor: next }, (row) => row), {
    code: 'API_CURSOR_GONE',
  });
  t.same(
    pageOfAll(['a', 'b'], {}, (row) => row),
    { items: ['a', 'b'] },
  );
  t.end();
});
