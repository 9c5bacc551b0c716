/** Fails when agent/protocol/gen is not what the proto files generate. */
import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const project = new URL('../..', import.meta.url).pathname;
const out = mkdtempSync(join(tmpdir(), 'vigo-generated-'));
try {
  const template = readFileSync(join(project, 'buf.gen.yaml'), 'utf8')
    .replace('agent/protocol/gen', out)
    .replace('node_modules/.bin', join(project, 'node_modules/.bin'));
  const run = spawnSync(
    join(project, 'node_modules/.bin/buf'),
    ['generate', '--template', JSON.stringify(toJson(template))],
    { cwd: project, encoding: 'utf8' },
  );
  if (run.status !== 0) throw new Error(run.stderr);
  const fresh = globSync('**/*.ts', { cwd: out }).sort();
  const kept = globSync('**/*.ts', { cwd: join(project, 'agent/protocol/gen') }).sort();
  const stale = [...new Set([...fresh, ...kept])].filter(
    (file) =>
      !fresh.includes(file) ||
      !kept.includes(file) ||
      readFileSync(join(out, file), 'utf8') !==
        readFileSync(join(project, 'agent/protocol/gen', file), 'utf8'),
  );
  if (stale.length > 0) {
    console.error(`stale: ${stale.join(', ')}; run: npm run protocol`);
    process.exitCode = 1;
  }
} finally {
  rmSync(out, { recursive: true, force: true });
}

/** buf.gen.yaml has one plugin; buf takes the template inline as JSON. */
function toJson(yaml: string): unknown {
  const value = (key: string) => new RegExp(`${key}: (.*)`).exec(yaml)?.[1]?.trim();
  const opt = [...yaml.matchAll(/^ {6}- (.*)$/gm)].map((match) => match[1]);
  return { version: 'v2', plugins: [{ local: value('local'), out: value('out'), opt }] };
}
