import type { PlannedChange } from '../../../../actors/plan/messages.ts';
import type { FidelityView, PlanView } from '../../../../actors/plan/view.ts';
import { idParameter, nothing } from '../../../api/schemas.ts';
import { facts } from '../../components/facts.ts';
import { live } from '../../components/live.ts';
import { plural } from '../../components/numbers.ts';
import { partOf, Refused } from '../../components/refused.ts';
import { statTile } from '../../components/stat-tile.ts';
import { timeAt } from '../../components/time.ts';
import { type Html, html } from '../../html.ts';
import { page } from '../../page.ts';
import { personOf } from '../policy/words.ts';
import { fidelityPanel } from './fidelity.ts';
import { groupPanel } from './group.ts';
import { rehearsalPanel } from './rehearsal.ts';

/** Answers to a rehearsal come with the check-ins that end in runs. */
const planEvents = ['run.finished', 'envoys.many', 'policy.published'];

/** One plan: what is expected of each group, what envoys said, and how it came. */
export const planPage = page({
  path: '/plans/{id}',
  summary: 'A plan',
  access: 'config.read',
  parameters: idParameter,
  query: nothing,
  render: async ({ read, parameters }) => {
    const path = `/api/v1/config/plans/${encodeURIComponent(parameters.id)}`;
    const plan = await read<PlanView>(path);
    const fidelity = await partOf(read<FidelityView>(`${path}/fidelity`));
    return {
      title: `Plan ${plan.id.slice(0, 8)}`,
      crumbs: [{ label: 'Plans', path: '/plans' }],
      listen: { types: planEvents, every: 10 },
      body: live({
        id: 'plan',
        path: `/plans/${plan.id}`,
        body: html`${about(plan)}${summaryTiles(plan)}
          ${plan.live && rehearsalPanel(plan.live)}
          ${plan.groups.map(groupPanel)}
          ${!(fidelity instanceof Refused) && fidelityPanel(fidelity)}`,
      }),
    };
  },
});

function about(plan: PlanView): Html {
  const { createdBy, createdAtMs, baseVersion, contentHash, envoys, fleet, groups } = plan;
  const what =
    envoys === 0
      ? 'Nothing would change'
      : `${plural(envoys, 'envoy')} of ${fleet.toLocaleString('en-US')} would get other policy, in ${plural(groups.length, 'group')}`;
  return html`<section class="panel"><h2>${what}</h2>${facts([
    ['Who', html`${personOf(createdBy)}, ${timeAt(createdAtMs)}`],
    [
      'On top of',
      baseVersion === 0
        ? 'nothing'
        : html`<a href="/policy/${baseVersion}">version ${baseVersion}</a>`,
    ],
    ['Content', html`<code>${contentHash}</code>`],
  ])}</section>`;
}

const changeWords: readonly (readonly [PlannedChange, string])[] = [
  ['create', 'to create'],
  ['update', 'to update'],
  ['delete', 'to delete'],
  ['trigger', 'to trigger'],
  ['unmanage', 'no longer managed'],
  ['unknown', 'only the node knows'],
];
const actionWords: readonly (readonly [string, string])[] = [
  ['created', 'would be created'],
  ['updated', 'would be updated'],
  ['deleted', 'would be deleted'],
  ['blocked', 'would be blocked'],
  ['failed', 'would fail'],
];

/** What the envoys said counts more than what the server expects. */
function summaryTiles({ live: heard, summary }: PlanView): Html | undefined {
  const isHeard = heard !== undefined && heard.answered > 0;
  const words: readonly (readonly [string, string])[] = isHeard ? actionWords : changeWords;
  const counts = isHeard ? heard.summary : summary;
  const tiles = words.filter(([kind]) => (counts[kind] ?? 0) > 0);
  if (tiles.length === 0) return undefined;
  const note = isHeard ? 'as the envoys said' : 'as far as the server knows';
  return html`<div class="tiles">${tiles.map(([kind, label]) =>
    statTile({ label, figure: (counts[kind] ?? 0).toLocaleString('en-US'), note }),
  )}</div>`;
}
