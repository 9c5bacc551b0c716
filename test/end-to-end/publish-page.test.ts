import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { shellWithVigocli } from './support/documented-commands.ts';
import { TestServer } from './support/server-process.ts';

const project = new URL('../..', import.meta.url).pathname;
const page = readFileSync(join(project, 'docs/publish.md'), 'utf8');
const demo = join(project, 'admin/demo/stack');

const work = mkdtempSync(join(tmpdir(), 'vigo-publish-page-'));
t.teardown(() => rmSync(work, { recursive: true, force: true }));
const server = await TestServer.make(t);
await server.provision(4);
const stacks = join(server.directory, 'stacks');
for (const place of [stacks, join(work, 'my-stack')]) cpSync(demo, place, { recursive: true });
const shell = shellWithVigocli(work, server.directory);

/** What the reader changes between two chapters. */
const before: Readonly<Record<string, () => Promise<void>>> = {
  Freeze: async () => edited(),
  'Two people': async () => {
    edited();
    await server.signal('SIGTERM');
    const file = join(server.directory, 'server.yaml');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace(/#approval: .*/, 'approval: required'));
    await server.start();
  },
};

function edited(): void {
  const file = join(stacks, 'modules/greeting.vgo');
  appendFileSync(file, `# ${readFileSync(file, 'utf8').length}\n`);
}

await server.start();
const chapters = page.split(/^## /m).slice(1);
for (const chapter of chapters) {
  const title = chapter.slice(0, chapter.indexOf('\n'));
  t.test(`docs/publish.md: ${title}`, async (t) => {
    await before[title]?.();
    const blocks = [...chapter.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(
      ([, block]) => block ?? '',
    );
    const lines = blocks.flatMap((block) => block.trimEnd().split('\n'));
    t.ok(lines.length > 0, 'it has examples');
    for (const line of lines) {
      const expected = Number(/# exit (\d+)$/.exec(line)?.[1] ?? 0);
      const { code, output } = await shell(line);
      t.equal(code, expected, `${line}\n${output}`);
    }
  });
}
