import type { EnvoyView } from '../../../api/backend.ts';
import { AdminError } from '../../../errors.ts';
import type { Column } from '../../table.ts';
import { ago, clockTime, stateWord } from '../../words.ts';

/** Nothing for an envoy that never was updated, or whose update is done. */
function updateWord({ update }: EnvoyView): string {
  return update === undefined || update.phase === 'accepted'
    ? '-'
    : `${update.phase} ${update.version}`;
}

function certificateEnd({ certificateEndsMs }: EnvoyView): string {
  return certificateEndsMs === undefined ? '-' : clockTime(certificateEndsMs);
}

/** By the name that `--columns` takes. */
const known: Readonly<Record<string, Column<EnvoyView>>> = {
  host: { title: 'HOST', value: ({ hostname }) => hostname, flexible: true },
  state: {
    title: 'STATE',
    value: ({ state, maintenance }) => (maintenance === undefined ? state : `${state} (m)`),
    style: (cell, { state }) => stateWord(state, cell),
  },
  since: { title: 'SINCE', value: ({ stateSinceMs }) => ago(stateSinceMs, Date.now()) },
  seen: { title: 'LAST SEEN', value: ({ lastSeenMs }) => ago(lastSeenMs, Date.now()) },
  policy: {
    title: 'POLICY',
    value: ({ policyVersion }) => String(policyVersion || '-'),
    align: 'right',
  },
  os: { title: 'OS', value: ({ os }) => os || '-', optional: true },
  agent: { title: 'AGENT', value: ({ agentVersion }) => agentVersion, optional: true },
  update: { title: 'UPDATE', value: updateWord, optional: true },
  enrolled: { title: 'ENROLLED', value: ({ enrolledAtMs }) => clockTime(enrolledAtMs) },
  certificate: { title: 'CERTIFICATE ENDS', value: certificateEnd },
  maintenance: { title: 'MAINTENANCE', value: ({ maintenance }) => maintenance?.reason ?? '-' },
  id: { title: 'ID', value: ({ id }) => id, optional: true },
};

export const columnNames = Object.keys(known);
const usual = ['host', 'state', 'seen', 'policy', 'os', 'agent', 'update', 'id'];

/** "host,state,os" as columns; the usual ones when nothing is asked for. */
export function columnsOf(names: string | undefined): Column<EnvoyView>[] {
  const wanted = names === undefined ? usual : names.split(',').map((name) => name.trim());
  return wanted.map((name) => {
    const column = Object.hasOwn(known, name) ? known[name] : undefined;
    if (column !== undefined) return names === undefined ? column : { ...column, optional: false };
    const problem = `there is no column ${JSON.stringify(name)}`;
    throw new AdminError('CLI_USAGE', problem, undefined, `columns are ${columnNames.join(', ')}`);
  });
}
