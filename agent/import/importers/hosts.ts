import { AgentError } from '../../errors.ts';
import { readText } from '../../platform/text-file.ts';
import type { ImportContext, ImportedResource, Importer } from '../contract.ts';
import { given } from '../parameters.ts';

/** Names that every machine has by itself. */
const ownNames = /^(?:localhost|ip6-|broadcasthost)/;

/** Entries of /etc/hosts, by their first names (hosts(5)). */
export const hostImporter: Importer = {
  kind: 'host',
  scope: 'entries of /etc/hosts but localhost',
  async names(context) {
    const entries = await readEntries(context);
    const names = entries.map(({ hostname }) => hostname);
    return [...new Set(names)].filter((name) => !ownNames.test(name)).sort();
  },
  async read(name, context) {
    const found = (await readEntries(context)).filter(({ hostname }) => hostname === name);
    if (found.length === 0)
      throw new AgentError('AGENT_IMPORT_REFUSED', {
        what: `host ${name}`,
        why: 'no line of /etc/hosts begins with that name',
      });
    return found.map(({ hostname, ip, aliases }): ImportedResource => {
      const names = aliases.length === 0 ? undefined : aliases.join(' ');
      const subject = found.length === 1 ? hostname : `${hostname}-${ip}`;
      return { type: 'host', subject, parameters: given({ hostname, ip, aliases: names }) };
    });
  },
};

interface HostsEntry {
  readonly hostname: string;
  readonly ip: string;
  readonly aliases: readonly string[];
}

async function readEntries({ platform }: ImportContext): Promise<readonly HostsEntry[]> {
  const text = (await readText(platform, '/etc/hosts')) ?? '';
  return text.split('\n').flatMap((line) => {
    const [ip, hostname, ...aliases] = line.replace(/#.*/, '').trim().split(/\s+/);
    return ip === undefined || hostname === undefined ? [] : [{ ip, hostname, aliases }];
  });
}
