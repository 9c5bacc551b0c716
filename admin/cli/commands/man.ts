import type { Command } from 'commander';
import { AdminError } from '../../errors.ts';
import { examples } from '../examples.ts';

/** Prints or writes manual pages; they are made from the command tree itself. */
export function addManCommand(program: Command): void {
  const man = program
    .command('man [group]')
    .description('print the manual page of vigocli, or of a group of its commands')
    .option('--directory <dir>', 'write all pages into this directory instead')
    .action(async (group: string | undefined, { directory }: { directory?: string }) => {
      const { manPages } = await import('../man.ts');
      const pages = manPages(program);
      if (directory !== undefined) {
        const { writePages } = await import('../man-files.ts');
        process.stdout.write(`${writePages(directory, pages).join('\n')}\n`);
        return;
      }
      const name = group === undefined ? program.name() : `${program.name()}-${group}`;
      const page = pages.get(`${name}.1`);
      if (page === undefined) {
        const known = [...pages.keys()].flatMap((file) => /-(.+)\.1$/.exec(file)?.[1] ?? []);
        const remedy = `pages: ${known.join(', ')}`;
        throw new AdminError('CLI_USAGE', `there is no page ${group}`, undefined, remedy);
      }
      process.stdout.write(page);
    });
  examples(man, [
    'vigocli man | man -l -',
    'vigocli man config | man -l -',
    'vigocli man --directory ~/.local/share/man/man1',
  ]);
}
