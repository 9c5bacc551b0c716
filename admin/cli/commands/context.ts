import type { Command } from 'commander';
import type { Context } from '../context/store.ts';
import { examples } from '../examples.ts';
import type { OpenSession } from '../session.ts';
import type { Column } from '../table.ts';
import { printable } from '../terminal-text.ts';
import { fieldLines } from '../words.ts';

interface ContextRow {
  readonly name: string;
  readonly current: boolean;
  /** "host:port", or the home of a local server. */
  readonly server: string;
  /** Undefined: nobody is logged in. */
  readonly account: string | undefined;
}

const columns: readonly Column<ContextRow>[] = [
  { title: 'CURRENT', value: ({ current }) => (current ? '*' : '') },
  { title: 'NAME', value: ({ name }) => name },
  { title: 'SERVER', value: ({ server }) => server, flexible: true },
  { title: 'ACCOUNT', value: ({ account }) => account ?? '-' },
];

/** What the commands do is loaded when one runs. */
const work = () => import('../context/manage.ts');

export function addContextCommands(program: Command, open: OpenSession): void {
  const context = program.command('context').description('servers that you know by name');
  context
    .command('list')
    .description('list them; * marks the one in use')
    .action(async () => {
      const it = await open();
      const { listContexts } = await work();
      it.list({ items: listContexts(it.options, process.env) }, columns, 'No contexts.');
    });
  context
    .command('use <name>')
    .description('talk to this server from now on; "default" is what options and VIGO_* say')
    .action(async (name: string) => {
      const it = await open();
      (await work()).useContext(name, process.env);
      it.print({ current: name }, () => `vigocli talks to ${printable(name)} now.`);
    });
  addAdd(context, open);
  context
    .command('remove <name>')
    .description('forget a server, and the login there')
    .action(async (name: string) => {
      const it = await open();
      (await work()).removeContext(name, process.env);
      it.print({ removed: name }, () => `The context ${printable(name)} is forgotten.`);
    });
  addShow(context, open);
}

function addAdd(context: Command, open: OpenSession): void {
  const add = context
    .command('add <name>')
    .description('keep --server or --home under a name, with the authority that is to be believed')
    .option('--pin <pin>', "of the server's key, sha256//...; its authority is fetched and kept")
    .option('--use', 'talk to it from now on')
    .option('--replace', 'when there is one of that name')
    .action(async (name: string, options: { pin?: string; use?: boolean; replace?: boolean }) => {
      const it = await open();
      const { addContext } = await work();
      const added = await addContext(name, { ...it.options, ...options }, process.env);
      it.print(shown(added), () => `The context ${printable(name)} is kept.`);
      const next = options.use ? '' : `vigocli context use ${name}, or --context ${name}; `;
      it.note(`Next: ${next}vigocli auth login.`);
    });
  examples(add, [
    'vigocli context add prod --server vigo.example.com:8443 --ca-file ca.cert.pem --use',
    'vigocli context add lab --server 192.0.2.7:8443 --pin "sha256//..."',
    'vigocli context add demo --home ./demo/server',
  ]);
}

function addShow(context: Command, open: OpenSession): void {
  context
    .command('show [name]')
    .description('show one, or the one in use')
    .action(async (name: string | undefined) => {
      const it = await open();
      const found = (await work()).showContext(name, it.options, process.env);
      it.print(found, () =>
        fieldLines([
          ['Name', printable(found.name)],
          ['In use', found.current ? 'yes' : 'no'],
          ['Server', printable(found.server)],
          ['Authority', found.authoritySha256 ?? "the server's home or --ca-file says"],
          ['Token file', printable(found.tokenFile ?? '-')],
          ['Account', printable(found.account ?? 'nobody is logged in')],
          ['Kept in', printable(found.file ?? '-')],
        ]),
      );
    });
}

function shown({ name, server, home }: Context): object {
  return { name, ...(server === undefined ? { home } : { server }) };
}
