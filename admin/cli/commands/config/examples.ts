import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { AdminError } from '../../../errors.ts';
import { examples } from '../../examples.ts';
import type { OpenSession } from '../../session.ts';
import type { Column } from '../../table.ts';

interface ExampleStack {
  readonly name: string;
  /** One line. */
  readonly shows: string;
}

/** In the project and in what is built of it, the examples stand four levels above. */
const directory = fileURLToPath(new URL('../../../../examples', import.meta.url));
/** "| [web-tier](web-tier/README.md) | web servers and a proxy |" of the README. */
const row = /^\| \[([\w-]+)\]\([^)]+\) \| (.+) \|$/gm;

const columns: readonly Column<ExampleStack>[] = [
  { title: 'EXAMPLE', value: ({ name }) => name },
  { title: 'SHOWS', value: ({ shows }) => shows, flexible: true },
];

export function addExampleCommands(config: Command, open: OpenSession): void {
  const group = config.command('examples').description('whole stacks to start from');
  const list = group
    .command('list')
    .description('list the example stacks and what each shows')
    .action(async () => {
      const it = await open();
      it.list({ items: readExamples() }, columns, 'There are none.');
    });
  examples(list, ['vigocli config examples list']);
  const copy = group
    .command('copy')
    .argument('<name>', 'one of "vigocli config examples list"')
    .argument('[dir]', 'where to; the name of the example by default')
    .description('copy an example stack into a directory, to begin with')
    .action(async (name: string, to: string | undefined) => {
      const it = await open();
      const target = resolve(to ?? name);
      copyExample(name, target);
      const next = `vigocli config validate --stack ${target}`;
      it.print({ name, directory: target, next }, () => `Copied to ${target}. Next: ${next}`);
    });
  examples(copy, [
    'vigocli config examples copy web-tier',
    'vigocli config examples copy homelab ./my-stack',
  ]);
}

function readExamples(): ExampleStack[] {
  const file = join(directory, 'README.md');
  try {
    const found = readFileSync(file, 'utf8').matchAll(row);
    return [...found].map(([, name = '', shows = '']) => ({ name, shows }));
  } catch (error) {
    throw new AdminError('CLI_FILE_UNREADABLE', `${file}: ${(error as Error).message}`);
  }
}

/** Refuses a directory that holds anything: nobody's files are mixed with an example's. */
function copyExample(name: string, target: string): void {
  const names = readExamples().map((example) => example.name);
  if (!names.includes(name)) {
    throw new AdminError('CLI_USAGE', `there is no example ${name}: ${names.join(', ')}`);
  }
  try {
    if (existsSync(target) && readdirSync(target).length > 0) {
      throw new AdminError('CLI_FILE_UNWRITABLE', `${target} is not empty`);
    }
    cpSync(join(directory, name), target, { recursive: true });
  } catch (error) {
    if (error instanceof AdminError) throw error;
    throw new AdminError('CLI_FILE_UNWRITABLE', `${target}: ${(error as Error).message}`);
  }
}
