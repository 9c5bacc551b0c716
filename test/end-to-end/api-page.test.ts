import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { openApiDocument } from '../../admin/api/openapi.ts';
import { routeTable } from '../../admin/api/route-table.ts';
import { watchEvents } from '../admin/api/support/event-reader.ts';
import { requires } from '../support/requires.ts';
import { misfits } from '../support/schema-misfits.ts';
import { rest } from './support/rest.ts';
import { TestServer } from './support/server-process.ts';

t.setTimeout(180_000);

const project = fileURLToPath(new URL('../../', import.meta.url));
const page = readFileSync(join(project, 'docs/api.md'), 'utf8');

interface Block {
  readonly language: string;
  readonly text: string;
}
const blocks: readonly Block[] = [...page.matchAll(/^```(sh|json|ts)\n([\s\S]*?)^```$/gm)].map(
  ([, language = '', text = '']) => ({ language, text }),
);

const skip = requires('command:curl');
t.test('docs/api.md and every route, on one server', { skip }, async (t) => {
  const work = mkdtempSync(join(tmpdir(), 'vigo-api-page-'));
  t.teardown(() => rmSync(work, { recursive: true, force: true }));
  const server = await TestServer.make(t, { shards: 1 });
  const [envoy] = await server.provision(2);
  const { apiPort, grpcPort } = await server.start();
  envoy?.moveTo(grpcPort);

  t.test('what envoys do is seen live', async (t) => {
    const { layout, certificateAuthority } = server.home;
    const token = readFileSync(layout.adminToken, 'utf8').trim();
    const authorization = `Bearer ${token}`;
    const ca = certificateAuthority.certificatePem;
    const start = (method: string, path: string, headers: Record<string, string>) =>
      new Promise<IncomingMessage>((resolve, reject) => {
        const options = {
          host: '127.0.0.1',
          port: apiPort,
          ca,
          agent: false,
          method,
          path,
          headers,
        };
        request(options, resolve).on('error', reject).end();
      });
    const watcher = await watchEvents({ start }, '/api/v1/events', { authorization });
    await envoy?.report({ runId: Buffer.alloc(16, 7) });
    await envoy?.close();
    await watcher.until((seen) => seen.some(({ type }) => type === 'run.finished'));
    const run = watcher.seen.find(({ type }) => type === 'run.finished');
    t.match(run, {
      envoyId: envoy?.envoyId,
      data: { runId: '07070707-0707-0707-0707-070707070707' },
    });
    watcher.close();
  });

  t.test('its examples run in their order and say what it says', async (t) => {
    symlinkSync(join(project, 'node_modules'), join(work, 'node_modules'));
    const program = blocks.find(({ language }) => language === 'ts')?.text ?? '';
    writeFileSync(join(work, 'walk.ts'), program);
    const mark = 'end of block';
    const commands = blocks
      .filter(({ language }) => language === 'sh')
      .map(({ text }) => text.replace('https://localhost:8443', `https://127.0.0.1:${apiPort}`))
      .map((text) => text.replace('npx ', 'node_modules/.bin/'))
      .map((text) => (text.includes('--max-time') ? untilSeen(text, 'token.created') : text));
    const script = commands.map((text) => `${text}\necho; echo ${mark}\n`).join('');
    const output = await run(script, work, server.directory);
    const parts = output.split(`${mark}\n`);
    let at = -1;
    for (const { language, text } of blocks) {
      if (language === 'sh') at += 1;
      if (language !== 'json') continue;
      for (const line of text.trimEnd().split('\n')) {
        if (!parts[at]?.includes(line)) t.fail(`block ${at} does not say ${line}\n${output}`);
      }
    }
    t.ok(at >= 8);
    t.equal(parts.length - 1, at + 1, 'all of them ran');
  });

  t.test('the generated client and the program with it have no type errors', (t) => {
    const options = {
      target: 'es2023',
      lib: ['es2023', 'dom'],
      module: 'nodenext',
      strict: true,
      types: ['node'],
      skipLibCheck: true,
      noEmit: true,
      allowImportingTsExtensions: true,
    };
    const config = JSON.stringify({ compilerOptions: options, files: ['walk.ts'] });
    writeFileSync(join(work, 'tsconfig.json'), config);
    writeFileSync(join(work, 'package.json'), '{"type":"module"}');
    const tsc = join(project, 'node_modules/.bin/tsc');
    t.doesNotThrow(() => execFileSync(tsc, ['-p', work], { stdio: 'pipe' }));
    t.end();
  });

  t.test('what reading routes answer fits what the document says', async (t) => {
    const document = JSON.parse(JSON.stringify(openApiDocument(routeTable))) as {
      paths: Record<string, { get?: { responses: Record<string, { content?: Content }> } }>;
    };
    type Content = Record<string, { schema: unknown }>;
    const envoys = await rest<{ items: { id: string }[] }>(server, 'GET', '/api/v1/envoys');
    const runs = await rest<{ items: { id: string }[] }>(server, 'GET', '/api/v1/runs');
    const names: Record<string, string> = {
      '/api/v1/envoys/{id}': envoys.body.items[0]?.id ?? '',
      '/api/v1/envoys/{id}/history': envoys.body.items[0]?.id ?? '',
      '/api/v1/runs/{id}': runs.body.items[0]?.id ?? '',
      '/api/v1/config/versions/{version}': '1',
      '/api/v1/audit/entries/{sequence}/proof': '1',
    };
    let checked = 0;
    for (const { method, path } of routeTable) {
      if (method !== 'GET' || path.includes('oidc')) continue;
      const schema = document.paths[path]?.get?.responses['200']?.content?.['application/json'];
      const value = names[path];
      if (schema === undefined || (path.includes('{') && value === undefined)) continue;
      const answer = await rest(server, 'GET', path.replace(/\{\w+\}/, value ?? ''));
      if (answer.status !== 200) continue;
      checked += 1;
      t.same(misfits(schema.schema, answer.body, document), [], path);
    }
    t.ok(checked >= 20, `${checked} answers were compared`);
  });
});

/** Two seconds of a stream may be too short on a busy machine. */
function untilSeen(block: string, word: string): string {
  const file = 'stream.txt';
  return `for try in 1 2 3 4 5 6 7 8 9; do
{ ${block} } > ${file}
grep -q ${word} ${file} && break
done
cat ${file}`;
}

/** Runs a script of /bin/sh; its output, or an error with it. */
function run(script: string, work: string, home: string): Promise<string> {
  const path = `${join(process.execPath, '..')}:${process.env.PATH}`;
  const env = { ...process.env, PATH: path, VIGO_HOME: home, HOME: work, NO_COLOR: '1' };
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', ['-eu', '-c', script], { cwd: work, env });
    let output = '';
    const take = (text: string): void => {
      output += text;
    };
    child.stdout.setEncoding('utf8').on('data', take);
    child.stderr.setEncoding('utf8').on('data', take);
    child.once('close', (code) =>
      code === 0 ? resolve(output) : reject(new Error(`${code}\n${output}`)),
    );
  });
}
