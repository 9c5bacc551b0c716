import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import t from 'tap';
import { manPages } from '../../../admin/cli/man.ts';
import { writePages } from '../../../admin/cli/man-files.ts';
import { buildProgram } from '../../../admin/cli/program.ts';
import { requires } from '../../support/requires.ts';

const directory = mkdtempSync(join(tmpdir(), 'vigo-man-'));
t.teardown(() => rmSync(directory, { recursive: true, force: true }));
const program = buildProgram();
const pages = manPages(program);
const files = writePages(directory, pages);

function leaves(command: Command, path: readonly string[]): [string, Command][] {
  if (command.commands.length === 0) return [[path.join(' '), command]];
  return command.commands.flatMap((child) => leaves(child, [...path, child.name()]));
}

t.test('every command, option and exit code is in a page', async (t) => {
  t.equal(pages.size, program.commands.length + 1);
  for (const [path, command] of leaves(program, ['vigocli'])) {
    const page = pages.get(`vigocli-${path.split(' ')[1]}.1`) ?? '';
    t.ok(page.includes(path.replaceAll('-', '\\-')), path);
    for (const { long } of command.options) {
      t.ok(page.includes(String(long).replaceAll('-', '\\-')), `${path} ${long}`);
    }
  }
  for (const page of pages.values()) t.match(page, /\n\\fB64\\fR\n/);
});

t.test('man shows them without a warning', { skip: requires('command:man') }, async (t) => {
  const env = { PATH: process.env.PATH ?? '', LC_ALL: 'C.UTF-8', MANROFFSEQ: '', MANWIDTH: '80' };
  const args = ['--warnings', '-E', 'UTF-8', '-l', '-Tutf8'];
  const { status, stdout, stderr } = spawnSync('man', [...args, ...files], {
    env,
    encoding: 'utf8',
  });
  t.equal(stderr, '');
  t.equal(status, 0);
  t.match(stdout, /VIGOCLI-BACKUP\(1\)/);
});

t.test('mandoc takes them, too', { skip: requires('command:mandoc') }, async (t) => {
  const { stdout } = spawnSync('mandoc', ['-Tlint', '-Wwarning', ...files], { encoding: 'utf8' });
  // A date would make two builds differ; the version stands beside it.
  const findings = stdout.split('\n').filter((line) => line !== '' && !/missing date/.test(line));
  t.same(findings, []);
});
