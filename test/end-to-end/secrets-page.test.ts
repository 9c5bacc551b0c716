import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { requires } from '../support/requires.ts';
import { shellWithVigocli } from './support/documented-commands.ts';
import { TestServer } from './support/server-process.ts';

t.setTimeout(120_000);

const page = readFileSync(new URL('../../docs/secrets.md', import.meta.url), 'utf8');
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
    ([, text]) => text!,
  );

const skip = requires('command:openssl');
t.test('docs/secrets.md: its module and its commands, in their order', { skip }, async (t) => {
  const work = mkdtempSync(join(tmpdir(), 'vigo-secrets-page-'));
  t.teardown(() => rmSync(work, { recursive: true, force: true }));
  const server = await TestServer.make(t, { shards: 1 });
  await server.start();
  const shell = shellWithVigocli(work, server.directory);
  const [module] = blocks('yaml');
  const stacks = join(server.directory, 'stacks');
  mkdirSync(join(stacks, 'modules'));
  writeFileSync(join(stacks, 'modules/app.vgo'), module!);
  writeFileSync(join(stacks, 'site.vgo'), 'match: "*"\nmodules: app\n');
  writeFileSync(join(work, 'key.pem'), 'a key\n');
  const lines = blocks('sh').flatMap((block) => block.trimEnd().split('\n'));
  t.ok(lines.length >= 9);
  for (const line of lines) {
    // Where the page says that it asks, the test gives the answer.
    const { code, output } = await shell(line.includes('# asks') ? `echo typed | ${line}` : line);
    t.equal(code, 0, `${line}\n${output}`);
    if (line.includes(' init')) {
      const refused = await shell('vigocli config publish -m early');
      t.match(refused, { code: 1, output: /there is no secret db\/password/ }, 'not before');
    }
    if (line.includes(' list')) {
      t.match(output, /^app\/registration-key .*\napp\/token .*\ndb\/password /m);
      t.notMatch(output, /typed|a key/);
    }
  }
});

t.test('docs/secrets.md: its section of server.yaml has only keys that there are', async (t) => {
  const section = parse(blocks('yaml')[1]!) as { secrets: Record<string, string> };
  const server = await TestServer.make(t);
  const text = readFileSync(join(server.directory, 'server.yaml'), 'utf8');
  const own = text.slice(text.indexOf('\nsecrets:'));
  for (const key of Object.keys(section.secrets)) t.match(own, `#${key}:`, key);
});
