import t from 'tap';
import {
  parseRegularExpression,
  regularExpressionProblem,
} from '../../../agent/policy/regular-expression.ts';
import { fc } from '../../support/property.ts';

t.test('flags at the beginning mean what they mean in Go, Python and Ruby', async (t) => {
  const expression = (source: string, flags?: string) => {
    const parsed = parseRegularExpression(source, flags);
    if ('problem' in parsed) throw new Error(parsed.problem);
    return parsed.expression;
  };
  t.ok(expression('(?m)^PASS_MAX_DAYS\\s+.*$').test('A\nPASS_MAX_DAYS 1\nB'));
  t.ok(expression('(?i)^permitrootlogin').test('PermitRootLogin no'));
  t.ok(expression('(?is)A.B').test('a\nb'));
  t.equal(expression('(?m)^a', 'gm').flags, 'gm', 'a flag that the type sets itself is no error');
  t.equal(expression('(?i)a(b)').source, 'a(b)');
});

t.test('what would silently match something else is refused, and says what to write', async (t) => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['^a[[:space:]]', /\\s/],
    ['[^[:digit:]]x', /\\s/],
    ['\\Astart', /use \^/],
    ['end\\z', /use \^/],
    ['(?P<name>x)', /\(\?<name>/],
    ['a(?i)b', /very beginning/],
    ['(?x)a b', /very beginning/],
    ['\\Qa.b\\E', /escape/],
    ['(', /bracket/],
    ['*a', /operator/],
  ];
  for (const [source, problem] of wrong) t.match(regularExpressionProblem(source), problem, source);
  for (const right of ['\\\\A', '\\[:x:\\]', '(?:a|b)', '(?<!a)b', '(?=a)', 'a{2}'])
    t.equal(regularExpressionProblem(right), undefined, right);
});

t.test('a text that escapes what is special is an expression of itself', async () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const source = text.replace(/[\\^$.*+?()[\]{}|/:]/g, '\\$&');
      const parsed = parseRegularExpression(source);
      return 'expression' in parsed && parsed.expression.test(`x${text}y`);
    }),
  );
});
