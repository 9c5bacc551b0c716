import { type Command, Option } from 'commander';
import { envoyStates, revokedState } from '../../../../actors/envoy/states.ts';
import type { SavedView } from '../../../../actors/sink/fleet-views.ts';
import { AdminError } from '../../../errors.ts';
import type { Query } from '../../client.ts';
import { stateOption } from '../../options.ts';
import type { OpenSession, Session } from '../../session.ts';
import type { Column } from '../../table.ts';
import { printable } from '../../terminal-text.ts';
import { ago } from '../../words.ts';

const path = '/api/v1/views';

const columns: readonly Column<SavedView>[] = [
  { title: 'NAME', value: ({ name }) => name },
  { title: 'SELECTOR', value: ({ query }) => query.selector ?? '-', flexible: true },
  { title: 'STATE', value: ({ query }) => query.state ?? '-' },
  { title: 'SORT', value: ({ query }) => query.sort ?? '-' },
  { title: 'CHANGED', value: ({ changedAtMs }) => ago(changedAtMs, Date.now()) },
];

/** The query of a saved view. Throws CLI_USAGE when there is none of that name. */
export async function readView(it: Session, name: string): Promise<Query> {
  const { items } = await it.client.get<{ items: SavedView[] }>(path);
  const found = items.find((view) => view.name === name);
  if (found !== undefined) return { ...found.query };
  const names = items.map((view) => view.name).join(', ');
  const remedy = names === '' ? 'save one: vigocli envoys views save' : `yours are ${names}`;
  throw new AdminError('CLI_USAGE', `you have no saved view ${name}`, undefined, remedy);
}

/** Lists of envoys that one comes back to, kept at the server. */
export function addViewCommands(envoys: Command, open: OpenSession): void {
  const views = envoys.command('views').description('your saved views of the list of envoys');
  views
    .command('list')
    .description('list your saved views')
    .action(async () => {
      const it = await open();
      const found = await it.client.get<{ items: SavedView[] }>(path);
      it.list(found, columns, 'No saved views. Save one: vigocli envoys views save');
    });
  views
    .command('save <name> [selector]')
    .description('save a view; it replaces one of that name')
    .addOption(stateOption([...envoyStates, revokedState]))
    .option('--sort <key>', 'as of envoys list')
    .addOption(new Option('--order <order>', 'of the rows').choices(['asc', 'desc']))
    .action(async (name: string, selector: string | undefined, options: SavedView['query']) => {
      const it = await open();
      const query = selector === undefined ? options : { ...options, selector };
      const saved = await it.client.put<SavedView>(`${path}/${encodeURIComponent(name)}`, query);
      it.print(saved, () => `Saved. Look at it: vigocli envoys list --view ${printable(name)}`);
    });
  views
    .command('remove <name>')
    .description('remove a saved view')
    .action(async (name: string) => {
      const it = await open();
      const reply = await it.client.delete(`${path}/${encodeURIComponent(name)}`);
      it.print(reply, () => `${printable(name)} is removed.`);
    });
}
