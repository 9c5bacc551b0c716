import t from 'tap';
import { chartSvg, niceCeiling } from '../../../bench/present/chart.ts';
import { viewHtml } from '../../../bench/present/html.ts';
import { viewMarkdown } from '../../../bench/present/markdown.ts';
import { viewText } from '../../../bench/present/text.ts';
import type { ReportView } from '../../../bench/present/view.ts';
import { fc } from '../../support/property.ts';

const nasty = `<img src=x onerror="a('b')">|&`;
const view: ReportView = {
  title: nasty,
  verdict: { good: false, text: nasty },
  sections: [
    {
      title: nasty,
      facts: [{ name: nasty, value: nasty, good: true }],
      table: { columns: [nasty, 'b'], rows: [[nasty, '1']] },
      notes: [nasty],
    },
  ],
  charts: [
    {
      title: nasty,
      unit: nasty,
      xUnit: 's',
      lines: [
        {
          name: nasty,
          points: [
            [0, 1],
            [1, 2],
          ],
        },
      ],
    },
  ],
  warnings: [nasty],
};

t.test('the page is one file without scripts, whatever the report says', async (t) => {
  const page = viewHtml(view);
  t.notMatch(page, /<img/);
  t.notMatch(page, /<script|src=x onerror="a|https?:/);
  t.match(page, /^<!doctype html>/);
  t.match(page, /<svg[^>]*role="img"[^>]*aria-label="&lt;img/, 'a chart has a name');
});

t.test('Markdown cells cannot break their table', async (t) => {
  const row = viewMarkdown(view)
    .split('\n')
    .filter((line) => line.startsWith('|'));
  t.ok(row.length > 0);
  for (const line of row) t.match(line, /^\|( (\\\||[^|])*\|)+$|^\|(-|:|\|)+$/);
});

t.test('text for a terminal aligns its columns', async (t) => {
  const table = {
    columns: ['name', 'n'],
    rows: [
      ['longer name', '1'],
      ['x', '1000'],
    ],
  };
  const text = viewText({ ...view, sections: [{ title: '', table }] });
  const lines = text.split('\n').slice(-3);
  t.same(lines, ['name            n', 'longer name     1', 'x            1000']);
});

t.test('every chart is drawn inside its frame', async () => {
  const numbers = fc.double({ min: 0, max: 1e9, noNaN: true });
  const points = fc.array(fc.tuple(numbers, numbers), { minLength: 0, maxLength: 30 });
  fc.assert(
    fc.property(points, fc.boolean(), (drawn, dots) => {
      const svg = chartSvg({
        ...{ title: 'a', unit: 'b', xUnit: 'c' },
        lines: [{ name: 'n', points: drawn, dots }],
      });
      const places = /points="([^"]*)"/.exec(svg)?.[1]?.split(' ') ?? [];
      return (
        !svg.includes('NaN') &&
        places.filter(Boolean).every((place) => {
          const [x = -1, y = -1] = place.split(',').map(Number);
          return x >= 0 && x <= 720 && y >= 0 && y <= 220;
        })
      );
    }),
  );
});

t.test('axes end at a round number not far above the highest value', async () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-9, max: 1e12, noNaN: true }), (value) => {
      const top = niceCeiling(value);
      return top >= value * (1 - 1e-9) && top <= value * 2.5 * (1 + 1e-9);
    }),
  );
});
