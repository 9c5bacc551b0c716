import type { CheckpointView } from '../../../api/backend.ts';
import { assetPath } from '../../assets.ts';
import { facts } from '../../components/facts.ts';
import { count, plural } from '../../components/numbers.ts';
import { timeAt } from '../../components/time.ts';
import { type Html, html } from '../../html.ts';
import { part } from '../../path.ts';

const witnessesShown = 12;

/** What is checked in the browser (assets/audit-proof.js); `proof` as the API answers it. */
export function proofCheck(proof: object): Html {
  return html`<div role="status"><ul class="proof-findings" data-audit-proof="${JSON.stringify(proof)}"
      aria-label="Proof"><li class="proof-unknown">Checking in this browser …</li></ul></div>
    <noscript><p>Without a script this page checks nothing: <code>vigocli audit verify</code></p></noscript>
    <script type="module" src="${assetPath('audit-proof.js')}"></script>`;
}

/** How far the log is signed, and who has seen it. */
export function checkpointPanel(checkpoint: CheckpointView): Html {
  const { size, atMs, witnesses, root, key, note } = checkpoint;
  const shown = witnesses.slice(0, witnessesShown);
  const more = witnesses.length - shown.length;
  return html`<section class="panel" aria-labelledby="checkpoint">
    <div class="panel-head"><h2 id="checkpoint">Signed checkpoint of ${count(size)} entries</h2>
      <span class="muted small">${timeAt(atMs)}</span></div>
    <div class="columns">
      <div>${proofCheck(checkpoint)}
        <p class="muted small">Without trust in this server and its pages:
          <code>vigocli audit verify</code>, on any machine.</p></div>
      <div>${facts([
        [
          'Witnesses',
          witnesses.length === 0
            ? 'no envoy has cosigned it yet'
            : html`${plural(witnesses.length, 'envoy')} cosigned it: ${shown.map(
                ({ hostname, envoyId }, at) =>
                  html`${at > 0 && ', '}<a href="/envoys/${part(envoyId)}">${hostname}</a>`,
              )}${more > 0 && ` and ${more} more`}`,
        ],
        ['Root', html`<code>${root}</code>`],
      ])}
      <details><summary>Note and key</summary>
        <pre class="diff" tabindex="0" role="region" aria-label="The signed note"><code>${note}</code></pre>
        <p class="small muted">The log’s key, to compare with the one that you noted elsewhere:</p>
        <p><code class="wrap">${key}</code></p></details></div>
    </div>
  </section>`;
}
