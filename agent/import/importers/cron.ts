import { readText } from '../../platform/text-file.ts';
import type { ImportContext, ImportedResource, Importer } from '../contract.ts';
import { readPath } from './files.ts';

const directory = '/etc/cron.d';

/**
 * Jobs of /etc/cron.d as the files that they are. The cron type writes files of its own form, so one
 * that somebody else wrote would differ at the first pass.
 */
export const cronImporter: Importer = {
  kind: 'cron',
  scope: 'files of /etc/cron.d',
  async names({ platform }) {
    const real = await platform.paths.resolve(directory, { followLast: true });
    if ((await platform.files.status(real))?.kind !== 'directory') return [];
    return (await platform.files.list(real)).filter((name) => !name.startsWith('.')).sort();
  },
  async read(name, context) {
    const path = `${directory}/${name}`;
    return [(await asCron(name, path, context)) ?? (await readPath(path, context))];
  },
};

/** A file that the cron type wrote: header, assignments, one job. */
async function asCron(
  name: string,
  path: string,
  { platform }: ImportContext,
): Promise<ImportedResource | undefined> {
  const lines = (await readText(platform, path))?.split('\n') ?? [];
  if (!lines[0]?.startsWith('# Managed by vigo') || lines.pop() !== '') return undefined;
  const job = /^(@\w+|(?:\S+ ){4}\S+) (\S+) (.+)$/.exec(lines.pop() ?? '');
  if (job === null) return undefined;
  const [, schedule, user, command] = job;
  const environment = lines.slice(1);
  const parameters = {
    schedule: schedule!,
    user: user!,
    command: command!,
    ...(environment.length === 0 ? {} : { environment }),
  };
  return { type: 'cron', subject: name, parameters };
}
