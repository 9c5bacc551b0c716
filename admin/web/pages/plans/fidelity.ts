import type { FidelityMiss, FidelityView } from '../../../../actors/plan/view.ts';
import { ringGauge } from '../../charts/parts.ts';
import { shareText } from '../../charts/scale.ts';
import { plural } from '../../components/numbers.ts';
import { table } from '../../components/table.ts';
import { type Html, html } from '../../html.ts';
import { part } from '../../path.ts';

/** From here on a plan can be relied on; below it, look at the misses. */
const goodShare = 0.98;
const fairShare = 0.9;

/** The score of a plan in one picture and one sentence. */
export function fidelitySummary({ score, envoys, types, versions }: FidelityView): Html {
  const predicted = types.reduce((sum, row) => sum + row.predicted, 0);
  const matching = types.reduce((sum, row) => sum + row.matching, 0);
  const words =
    score === undefined
      ? 'Nothing could be compared yet.'
      : `${plural(matching, 'prediction')} of ${predicted.toLocaleString('en-US')} came true.`;
  const tone =
    score === undefined
      ? 'unknown'
      : score >= goodShare
        ? 'good'
        : score >= fairShare
          ? 'warning'
          : 'bad';
  return html`<div class="side-by-side">
    ${ringGauge({ id: 'fidelity-ring', title: 'Predictions that came true', description: words, share: score, tone })}
    <p>${words}<br><span class="muted">${plural(envoys.compared, 'envoy')} of ${envoys.changing.toLocaleString('en-US')} compared${
      versions.length > 0 && html`, under version ${versions.join(', ')}`
    }.</span></p>
  </div>`;
}

/** The score, by type of resource, and what came otherwise. */
export function fidelityPanel(fidelity: FidelityView): Html {
  const { types, misses, moreMisses, undetermined } = fidelity;
  return html`<section class="panel" aria-labelledby="fidelity">
    <h2 id="fidelity">Predicted and actual</h2>
    ${fidelitySummary(fidelity)}
    ${
      types.length > 0 &&
      table({
        caption: 'Predictions by type of resource',
        rows: types,
        columns: [
          { label: 'Type', cell: ({ type }) => html`<span class="tag">${type}</span>` },
          {
            label: 'Who said it',
            cell: ({ basis }) => (basis === 'live' ? 'the envoy itself' : 'the server'),
          },
          { label: 'Predicted', number: true, cell: ({ predicted }) => predicted },
          { label: 'Came true', number: true, cell: ({ matching }) => matching },
          {
            label: 'Share',
            number: true,
            cell: ({ matching, predicted, undetermined: open }) =>
              shareText(matching, predicted - open),
          },
          { label: 'Not predicted', number: true, cell: ({ unpredicted }) => unpredicted },
        ],
      })
    }
    ${misses.length > 0 && html`<h3>What came otherwise</h3>${missTable(misses, 'What came otherwise')}`}
    ${moreMisses > 0 && html`<p class="muted">and ${moreMisses} more</p>`}
    ${undetermined.length > 0 && html`<h3>What rested on an assumption</h3>${missTable(undetermined, 'What rested on an assumption')}`}
  </section>`;
}

function missTable(rows: readonly FidelityMiss[], caption: string): Html {
  return table({
    caption,
    rows,
    columns: [
      {
        label: 'Envoy',
        cell: ({ hostname }) => html`<a href="/envoys/${part(hostname)}">${hostname}</a>`,
      },
      {
        label: 'Resource',
        cell: ({ resource, type }) =>
          html`<span class="mono">${resource}</span> <span class="tag">${type}</span>`,
      },
      { label: 'Predicted', cell: ({ predicted }) => predicted },
      { label: 'Came', cell: ({ actual }) => actual },
      { label: 'The run said', cell: ({ reason }) => reason },
    ],
  });
}
