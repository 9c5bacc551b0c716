/**
 * Compiles the programs to dist/ (same tree, `.js`), so that they start without stripping types,
 * and copies what is not TypeScript. Skips the work when nothing is newer than the last build.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, globSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const project = new URL('../..', import.meta.url).pathname;
const stamp = join(project, 'dist/.built');
const rooms = '{runtime,actors,agent,admin,bench}';
const sources = globSync([`${rooms}/**/*.ts`, 'tsconfig*.json', 'package.json'], { cwd: project });
const assets = globSync(
  [
    'admin/demo/stack/**/*',
    'admin/web/assets/**/*',
    'admin/api/{gen,docs}/**/*',
    'actors/server/assets/**/*',
    'examples/**/*',
  ],
  { cwd: project },
).filter((path) => statSync(join(project, path)).isFile());

function current(): boolean {
  if (!existsSync(stamp)) return false;
  const builtMs = statSync(stamp).mtimeMs;
  return [...sources, ...assets].every((path) => statSync(join(project, path)).mtimeMs <= builtMs);
}

if (!current()) {
  rmSync(join(project, 'dist'), { recursive: true, force: true });
  const startedAt = new Date();
  const tsc = spawnSync(join(project, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.build.json'], {
    cwd: project,
    stdio: 'inherit',
  });
  if (tsc.status !== 0) process.exit(tsc.status ?? 1);
  for (const path of assets) cpSync(join(project, path), join(project, 'dist', path));
  const manual = ['dist/admin/cli/main.js', 'man', '--directory', 'dist/man/man1'];
  const man = spawnSync(process.execPath, manual, {
    cwd: project,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (man.status !== 0) process.exit(man.status ?? 1);
  writeFileSync(stamp, '');
  utimesSync(stamp, startedAt, startedAt);
}
