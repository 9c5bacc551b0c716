import { Type } from 'typebox';
import { type AuditEventTypeName, auditEventTypes } from '../../../../actors/audit/event-types.ts';
import type { AuditView, InclusionView, Page } from '../../../api/backend.ts';
import { nothing, object } from '../../../api/schemas.ts';
import { AdminError } from '../../../errors.ts';
import { facts } from '../../components/facts.ts';
import { icon } from '../../components/icon.ts';
import { plural } from '../../components/numbers.ts';
import { partOf, Refused, refusedNote } from '../../components/refused.ts';
import { timeAt } from '../../components/time.ts';
import { type Html, html } from '../../html.ts';
import { page } from '../../page.ts';
import { proofCheck } from './checkpoint.ts';
import { actorView, eventBadge, subjectView } from './words.ts';

/** One entry with everything that it says, and the proof that it stands in the signed log. */
export const auditEntryPage = page({
  path: '/audit/{sequence}',
  summary: 'An audit entry',
  access: 'audit.read',
  parameters: object({ sequence: Type.Integer({ minimum: 1 }) }),
  query: nothing,
  render: async ({ read, parameters }) => {
    const { sequence } = parameters;
    const { items } = await read<Page<AuditView>>('/api/v1/audit', {
      after: sequence - 1,
      limit: 2,
    });
    const [entry, following] = items;
    if (entry?.sequence !== sequence) throw new AdminError('API_NOT_FOUND', `entry ${sequence}`);
    const proof = await partOf(read<InclusionView>(`/api/v1/audit/entries/${sequence}/proof`));
    return {
      title: `Entry ${sequence}`,
      crumbs: [{ label: 'Audit', path: '/audit' }],
      actions: html`${
        sequence > 1 &&
        html`<a class="button" rel="prev" href="/audit/${sequence - 1}">${icon('left')} ${sequence - 1}</a>`
      }${
        following !== undefined &&
        html`<a class="button" rel="next" href="/audit/${following.sequence}">${following.sequence} ${icon('right')}</a>`
      }`,
      body: html`${about(entry)}${proof instanceof Refused ? notYet(proof) : proven(proof)}${chain(entry)}`,
    };
  },
});

function about(entry: AuditView): Html {
  const { type, atMs, actor, subject, details, traceparent } = entry;
  const meaning = auditEventTypes[type as AuditEventTypeName]?.meaning;
  return html`<section class="panel"><h2>${eventBadge(type)}</h2>
    ${meaning !== undefined && html`<p>${meaning}</p>`}
    ${facts([
      ['When', timeAt(atMs)],
      ['Who', actorView(actor)],
      ['To what', subject !== '' && subjectView(subject)],
      ...Object.entries(details).map(
        ([name, value]) => [name, html`<span class="mono">${String(value)}</span>`] as const,
      ),
      ['Trace', traceparent && html`<code>${traceparent}</code>`],
    ])}
  </section>`;
}

/** A young entry has no checkpoint above it yet. */
function notYet(refused: Refused): Html {
  if (refused.problem.code !== 'AUDIT_NO_SUCH_ENTRY') return refusedNote(refused);
  return html`<p class="callout">The server has not signed a checkpoint above this entry yet. It does so twice per
    check-in interval at most, and at each publish.</p>`;
}

function proven(proof: InclusionView): Html {
  const { checkpoint, entry, proof: hashes } = proof;
  return html`<section class="panel" aria-labelledby="proof">
    <div class="panel-head"><h2 id="proof">Proof</h2>
      <span class="muted small">${plural(checkpoint.witnesses.length, 'witness', 'witnesses')}
        of the checkpoint</span></div>
    ${proofCheck(proof)}
    <details><summary>What was checked</summary>
      <p class="muted small">The canonical entry, whose hash is the leaf, and the
        ${plural(hashes.length, 'hash', 'hashes')}
        that lead from it to the signed root (RFC 6962):</p>
      <pre class="diff" tabindex="0" role="region" aria-label="Canonical entry and proof"><code>${entry}
${hashes.join('\n')}</code></pre>
      <p class="small"><code>vigocli audit prove ${proof.index + 1}</code> writes it into a file for somebody else.</p></details>
  </section>`;
}

function chain({ hash, previousHash, id }: AuditView): Html {
  return html`<section class="panel"><h2>Chain</h2>${facts([
    ['Hash', html`<code class="wrap">${hash}</code>`],
    ['Before it', html`<code class="wrap">${previousHash}</code>`],
    ['Id', html`<code>${id}</code>`],
  ])}</section>`;
}
