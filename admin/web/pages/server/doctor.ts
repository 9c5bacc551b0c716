import type { Examination, Finding } from '../../../../actors/doctor/view.ts';
import { nothing } from '../../../api/schemas.ts';
import { emptyState } from '../../components/empty-state.ts';
import { icon } from '../../components/icon.ts';
import { plural } from '../../components/numbers.ts';
import { badge } from '../../components/state-badge.ts';
import { type Html, html } from '../../html.ts';
import { page } from '../../page.ts';

/** Looks for what is wrong, and says what to do about it; the same as `vigocli doctor`. */
export const doctorPage = page({
  path: '/server/doctor',
  summary: 'Examination',
  access: 'status.read',
  parameters: nothing,
  query: nothing,
  render: async ({ read }) => {
    const { findings, checked } = await read<Examination>('/api/v1/doctor');
    return {
      title: 'Examination',
      crumbs: [{ label: 'Server', path: '/server' }],
      actions: html`<a class="button" href="/server/doctor">${icon('refresh')} Examine again</a>`,
      body: html`${findings.length === 0 ? healthy() : findings.map(findingPanel)}
        <details><summary>${plural(checked.length, 'check')} made</summary>
          <p class="muted small">${checked.join(', ')}</p></details>`,
    };
  },
});

function healthy(): Html {
  return emptyState({
    icon: 'check',
    title: 'Nothing was found',
    text: 'Every check passed.',
  });
}

function findingPanel({ severity, finding, why, remedy, check }: Finding): Html {
  const look =
    severity === 'problem'
      ? badge('problem', 'bad', 'square')
      : badge('warning', 'warning', 'diamond');
  return html`<section class="panel">
    <div class="panel-head"><h2>${look} ${finding}</h2><code class="muted small">${check}</code></div>
    <p>${why}</p><p><strong>${remedy}</strong></p>
  </section>`;
}
