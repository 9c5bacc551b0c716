import { type Command, Option } from 'commander';
import { envoyStates, revokedState } from '../../../../actors/envoy/states.ts';
import { isProblem, problemText, readSelector } from '../../../../actors/selector/selector.ts';
import type { EnvoyPage, EnvoyView } from '../../../api/backend.ts';
import { AdminError } from '../../../errors.ts';
import type { Query } from '../../client.ts';
import { cursorOption, limitOption, stateOption } from '../../options.ts';
import type { OpenSession, Session } from '../../session.ts';
import { columnNames, columnsOf } from './columns.ts';
import { readView } from './views.ts';

const sorts = [
  'hostname',
  'state',
  'since',
  'seen',
  'policy',
  'agent',
  'os',
  'enrolled',
  'certificate',
];
/** The first page is small, so that its rows are there at once. */
const firstPageRows = 50;
const pageRows = 500;

interface ListOptions {
  readonly match?: string;
  readonly state?: string;
  readonly sort?: string;
  readonly reverse?: boolean;
  readonly columns?: string;
  readonly maintenance?: boolean;
  readonly view?: string;
  readonly all?: boolean;
  readonly limit: string;
  readonly cursor?: string;
}

export function addListCommand(envoys: Command, open: OpenSession): void {
  envoys
    .command('list [selector]')
    .description('list envoys; a selector is a host name, glob, UUID or trait filter')
    .option('--match <glob>', 'only host names that fit; the same as a selector of that glob')
    .addOption(stateOption([...envoyStates, revokedState]))
    .addOption(new Option('--sort <key>', 'order of the rows').choices(sorts))
    .option('--reverse', 'the other way round')
    .option('--columns <names>', `of ${columnNames.join(', ')}`)
    .option('--maintenance', 'only envoys in maintenance')
    .option('--no-maintenance', 'only envoys that are not in maintenance')
    .option('--view <name>', 'what a saved view of yours says; other options change it')
    .option('--all', 'every row, as they come; with --json one object a line')
    .addOption(limitOption(100))
    .addOption(cursorOption())
    .action(async (selector: string | undefined, options: ListOptions) => {
      const columns = columnsOf(options.columns);
      const own = queryOf(selector, options);
      const it = await open();
      const query =
        options.view === undefined ? own : { ...(await readView(it, options.view)), ...own };
      if (options.all === true) {
        await listAll(it, query, columns);
        return;
      }
      const page = await it.client.get<EnvoyPage>('/api/v1/envoys', {
        ...query,
        limit: options.limit,
        cursor: options.cursor,
      });
      it.list(page, columns, emptyWords(query));
      if (page.next) it.note(`${page.total} envoys; more: --cursor ${page.next}, or --all`);
    });
}

/** What the options say of the list; a selector is read here already, for the place of a mistake. */
function queryOf(selector: string | undefined, options: ListOptions): Query {
  const { match, state, sort, reverse, maintenance } = options;
  const parts = [selector, match].filter((part) => part !== undefined);
  const text = parts.length === 0 ? undefined : parts.join(',');
  if (text !== undefined) {
    const read = readSelector(text);
    if (isProblem(read)) {
      throw new AdminError('CLI_USAGE', `selector ${text}: ${problemText(read)}`);
    }
  }
  const given = {
    selector: text,
    state,
    sort,
    order: reverse === true ? 'desc' : undefined,
    maintenance: maintenance === undefined ? undefined : String(maintenance),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

async function listAll(
  it: Session,
  query: Query,
  columns: ReturnType<typeof columnsOf>,
): Promise<void> {
  const rows = it.rows<EnvoyView>(columns, emptyWords(query));
  let cursor: string | undefined;
  do {
    const limit = cursor === undefined ? firstPageRows : pageRows;
    const page: EnvoyPage = await it.client.get('/api/v1/envoys', { ...query, limit, cursor });
    rows.write(page.items);
    cursor = page.next;
  } while (cursor !== undefined);
  rows.end();
}

function emptyWords(query: Query): string {
  return Object.keys(query).length === 0
    ? 'No envoys. Enroll one: vigocli tokens create --match "web-*"'
    : 'No envoy fits.';
}
