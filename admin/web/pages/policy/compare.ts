import { Type } from 'typebox';
import type { StackComparison } from '../../../../actors/publish/comparison.ts';
import type { PublishStatus } from '../../../../actors/publish/messages.ts';
import type { ReadApi } from '../../../api/route.ts';
import { nothing, object } from '../../../api/schemas.ts';
import { choiceField } from '../../components/action-form.ts';
import { partOf, Refused, refusedNote } from '../../components/refused.ts';
import { html } from '../../html.ts';
import { page } from '../../page.ts';
import { comparisonView } from './comparison.ts';

const reference = Type.Optional(Type.String({ pattern: '^(live|stack|candidate|[0-9]{1,15})$' }));
/** Versions that the form offers. */
const offeredMost = 50;

export function readComparison(read: ReadApi, from: string, to: string): Promise<StackComparison> {
  return read<StackComparison>('/api/v1/config/diff', { from, to });
}

/** Any two stacks; by default what stands in the server's directory and is not published yet. */
export const comparePage = page({
  path: '/policy/compare',
  summary: 'Compare two stacks',
  access: 'config.read',
  parameters: nothing,
  query: object({ from: reference, to: reference }),
  render: async ({ read, query }) => {
    const { from = 'live', to = 'stack' } = query;
    const status = await read<PublishStatus>('/api/v1/config/status');
    const comparison =
      status.version === 0 && from === 'live'
        ? undefined
        : await partOf(readComparison(read, from, to));
    const options = stacks(status);
    return {
      title: 'Compare',
      crumbs: [{ label: 'Policy', path: '/policy' }],
      body: html`<form class="filters" action="/policy/compare">
          ${choiceField({ id: 'from', name: 'from', label: 'From', value: from, options })}
          ${choiceField({ id: 'to', name: 'to', label: 'To', value: to, options })}
          <button class="button primary">Compare</button>
        </form>
        ${comparison === undefined && html`<p class="muted">Nothing is published yet, so there is nothing to compare with.</p>`}
        ${
          comparison !== undefined &&
          (comparison instanceof Refused ? refusedNote(comparison) : comparisonView(comparison))
        }`,
    };
  },
});

function stacks({ version, candidate }: PublishStatus): readonly (readonly [string, string])[] {
  const least = Math.max(1, version - offeredMost + 1);
  const versions = Array.from(
    { length: version === 0 ? 0 : version - least + 1 },
    (_, at) => [String(version - at), `version ${version - at}`] as const,
  );
  return [
    ['live', 'what is live'],
    ['stack', 'the stack directory, not published'],
    ...(candidate === undefined ? [] : ([['candidate', 'the candidate']] as const)),
    ...versions,
  ];
}
