import { spawn } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
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
const program = join(work, 'vigocli');
const main = join(project, 'admin/cli/main.ts');
const flags = '--disable-warning=ExperimentalWarning';
writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" ${flags} "${main}" "$@"\n`);
chmodSync(program, 0o755);

interface Outcome {
  readonly code: number | null;
  readonly output: string;
}

function shell(line: string): Promise<Outcome> {
  const env = {
    PATH: `${work}:${process.env.PATH}`,
    VIGO_HOME: server.directory,
    HOME: work,
    COLUMNS: '100',
  };
  const stdio = ['ignore', 'pipe', 'pipe'] as ['ignore', 'pipe', 'pipe'];
  return new Promise((resolve) => {
    const child = spawn('/bin/sh', ['-c', line], { cwd: work, env, stdio });
    let output = '';
    const take = (text: string) => {
      output += text;
    };
    child.stdout.setEncoding('utf8').on('data', take);
    child.stderr.setEncoding('utf8').on('data', take);
    child.once('close', (code) => resolve({ code, output }));
  });
}

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
