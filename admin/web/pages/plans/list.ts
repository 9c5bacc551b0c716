import type { FidelityView, PlanListItem } from '../../../../actors/plan/view.ts';
import type { Principal } from '../../../api/authenticate.ts';
import { nothing } from '../../../api/schemas.ts';
import { actionForm, choiceField } from '../../components/action-form.ts';
import { dialog } from '../../components/dialog.ts';
import { shortHash } from '../../components/hash.ts';
import { icon } from '../../components/icon.ts';
import { plural } from '../../components/numbers.ts';
import { partOf, Refused } from '../../components/refused.ts';
import { table } from '../../components/table.ts';
import { timeAgo } from '../../components/time.ts';
import { type Html, html } from '../../html.ts';
import { may } from '../../may.ts';
import { page } from '../../page.ts';
import { personOf } from '../policy/words.ts';
import { fidelitySummary } from './fidelity.ts';

/** The plans that are kept, and how right the last one was. */
export const plansPage = page({
  path: '/plans',
  summary: 'Plans',
  access: 'config.read',
  parameters: nothing,
  query: nothing,
  render: async ({ read, asker, nowMs }) => {
    const { items } = await read<{ items: readonly PlanListItem[] }>('/api/v1/config/plans');
    const fidelity = await partOf(read<FidelityView>('/api/v1/config/fidelity'));
    return {
      title: 'Plans',
      actions: planButton(asker),
      body: html`${planTable(items, nowMs)}
        ${fidelity instanceof Refused ? undefined : lastFidelity(fidelity)}
        ${may(asker, 'config.plan') && planDialog()}`,
    };
  },
});

function planButton(asker: Principal): Html | undefined {
  if (!may(asker, 'config.plan')) return undefined;
  return html`<button type="button" class="button primary" data-dialog="new-plan">${icon('plan')} Plan now</button>`;
}

function planTable(items: readonly PlanListItem[], nowMs: number): Html {
  return table({
    caption: 'Plans, newest first',
    main: true,
    rows: items,
    rowId: ({ id }) => `plan-${id}`,
    empty: {
      icon: 'plan',
      title: 'There is no plan yet',
      text: 'A plan says what the stack directory would change on each machine, before it is live, and is compared with what happened afterwards.',
    },
    columns: [
      {
        label: 'Plan',
        cell: ({ id }) => html`<a class="cell-main mono" href="/plans/${id}">${id.slice(0, 8)}</a>`,
      },
      { label: 'When', cell: ({ createdAtMs }) => timeAgo(createdAtMs, nowMs) },
      { label: 'Who', cell: ({ createdBy }) => personOf(createdBy) },
      {
        label: 'On top of',
        cell: ({ baseVersion }) =>
          baseVersion === 0
            ? 'nothing'
            : html`<a href="/policy/${baseVersion}">version ${baseVersion}</a>`,
      },
      { label: 'Content', cell: ({ contentHash }) => shortHash(contentHash) },
      { label: 'Would change', number: true, cell: ({ envoys }) => plural(envoys, 'envoy') },
      {
        label: 'Rehearsed on',
        number: true,
        cell: ({ asked }) =>
          asked === 0 ? html`<span class="muted">none</span>` : plural(asked, 'envoy'),
      },
    ],
  });
}

function lastFidelity(fidelity: FidelityView): Html {
  return html`<section class="panel" aria-labelledby="fidelity">
    <div class="panel-head"><h2 id="fidelity">How right the last plan was</h2>
      <a href="/plans/${fidelity.planId}#fidelity">Plan ${fidelity.planId.slice(0, 8)}</a></div>
    ${fidelitySummary(fidelity)}
  </section>`;
}

function planDialog(): Html {
  return dialog({
    id: 'new-plan',
    title: 'Plan the stack directory',
    body: html`<p>The server compares it with what is live. It changes nothing.</p>
      ${actionForm({
        api: 'POST /api/v1/config/plans',
        submit: 'Plan',
        done: 'The plan is made',
        fields: choiceField({
          id: 'plan-sample',
          name: 'live.sample',
          label: 'Have envoys rehearse it',
          isNumber: true,
          hint: 'They say what they would do, and do nothing.',
          options: [
            ['', 'no: what the server knows is enough'],
            ['1', 'one of each group'],
            ['5', 'five of each group'],
            ['50', 'fifty of each group'],
          ],
        }),
      })}`,
  });
}
