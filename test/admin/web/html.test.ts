import t from 'tap';
import { escapeText, Html, html } from '../../../admin/web/html.ts';
import { localPath, part, pathTo } from '../../../admin/web/path.ts';
import { fc } from '../../support/property.ts';

/** What hostile names are made of. */
const hostile = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(
      fc.constantFrom(
        '<script>alert(1)</script>',
        '"><img src=x onerror=alert(1)>',
        "' onmouseover='x",
        '</title>',
        '<!--',
        ']]>',
        '&lt;',
        '${',
        '`',
        '\u001b[2J\u001b]0;owned\u0007',
        '\u202e',
        '\u2066',
        '\u0000',
        '\r\n',
        '\ud800',
        'javascript:alert(1)',
      ),
      { maxLength: 6 },
    )
    .map((parts) => parts.join('')),
);

/** What a browser makes of escaped text. */
function decoded(text: string): string {
  const known: Record<string, string> = {
    amp: '&',
    lt: '<',
    gt: '>',
    quot: '"',
    '#39': "'",
    '#96': '`',
  };
  return text.replaceAll(/&([a-z]+|#\d+);/g, (_whole, name: string) => known[name] ?? '');
}

t.test('whatever a machine calls itself is text, in elements and in attributes', async (t) => {
  fc.assert(
    fc.property(hostile, hostile, (name, title) => {
      const { text } = html`<b title="${title}">${name}</b>`;
      const inside = text.slice('<b title="'.length, -'</b>'.length);
      const [attribute = '', content = ''] = inside.split('">');
      t.equal(inside.split('">').length, 2, 'neither ends the attribute or begins an element');
      for (const piece of [attribute, content]) {
        t.notMatch(piece, /[<>"'`]/, 'no character of markup is left');
        t.notMatch(piece, /&(?!(amp|lt|gt|quot|#39|#96);)/, 'every ampersand begins an entity');
      }
    }),
  );
});

t.test(
  'what can be seen stays as it is; what cannot is shown, and steers no terminal',
  async (t) => {
    fc.assert(
      fc.property(hostile, (text) => {
        const shown = decoded(escapeText(text));
        t.notMatch(shown, /(?![\t\n])[\p{Cc}\p{Cs}\p{Bidi_Control}]/u);
        const plain = (value: string) =>
          value.replaceAll(/(?![\t\n])[\p{Cc}\p{Cs}\p{Bidi_Control}\u2028\u2029\ufeff]/gu, '');
        const seen = plain(text);
        if (seen === text) t.equal(shown, text);
      }),
    );
    t.equal(escapeText('\u001b[31mred'), '\\x1b[31mred');
    t.equal(escapeText('a\u202eb'), 'a[U+202E]b');
  },
);

t.test(
  'markup of templates stays markup, nothing and false leave no trace, lists follow',
  async (t) => {
    const row = (name: string) => html`<li>${name}</li>`;
    t.equal(
      html`<ul>${['<a>', 'b'].map(row)}${undefined}${false}${null}${3}</ul>`.text,
      '<ul><li>&lt;a&gt;</li><li>b</li>3</ul>',
    );
    t.equal(String(html`${new Html('<i>')}`), '<i>');
  },
);

t.test('addresses hold what they were given and lead nowhere else', async (t) => {
  fc.assert(
    fc.property(hostile, (name) => {
      const url = new URL(
        `${pathTo(`/envoys/${part(name)}`, { q: name })}`,
        'https://here.example',
      );
      t.equal(url.origin, 'https://here.example');
      t.equal(url.searchParams.get('q') ?? '', name.replaceAll(/\p{Cs}/gu, '\ufffd'));
    }),
  );
  for (const elsewhere of [
    '//evil.example',
    'https://evil.example',
    '/\\evil.example',
    'x',
    '/a\nb',
  ]) {
    t.equal(localPath(elsewhere), '/', elsewhere);
  }
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (wanted) => {
      t.equal(new URL(localPath(wanted), 'https://here.example').origin, 'https://here.example');
    }),
  );
  t.equal(localPath('/envoys?state=failed'), '/envoys?state=failed');
});
