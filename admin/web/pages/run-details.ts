import type { RunDetailView, RunResultView } from '../../api/backend.ts';
import { diffView } from '../components/diff-view.ts';
import { plural } from '../components/numbers.ts';
import { stateBadge } from '../components/state-badge.ts';
import { duration, timeAt } from '../components/time.ts';
import { type Html, html } from '../html.ts';

/** Results that are shown open; the others are a click away. */
const openMax = 25;
const briefMax = 5;
/** What a reader looks for first. */
const urgency = ['failed', 'blocked', 'deleted', 'updated', 'created', 'skipped', 'none'];
const quiet = new Set(['none', 'skipped']);

/** What a run did to each resource, with reasons and diffs, the troubled ones first. */
export function runDetails(run: RunDetailView, { brief }: { readonly brief: boolean }): Html {
  const sorted = [...run.results].sort(
    (one, other) => urgency.indexOf(one.action) - urgency.indexOf(other.action),
  );
  const loud = sorted.filter(({ action }) => !quiet.has(action));
  const silent = sorted.filter(({ action }) => quiet.has(action));
  const shown = brief ? loud.slice(0, briefMax) : loud;
  return html`${!brief && incidents(run)}
    ${shown.map((result, at) => resultPart(result, at < openMax))}
    ${shown.length < loud.length && html`<p class="muted">and ${plural(loud.length - shown.length, 'more result')}</p>`}
    ${loud.length === 0 && html`<p class="muted">Nothing had to be done.</p>`}
    ${
      !brief &&
      silent.length > 0 &&
      html`<details class="result"><summary>${plural(silent.length, 'resource')} skipped or untouched</summary>
        <ul class="list">${silent.map(
          ({ id, type, action, reason }) =>
            html`<li>${stateBadge(action)}<span class="cell-main">${id}</span> <code class="muted">${type}</code> <span class="muted">${reason}</span></li>`,
        )}</ul></details>`
    }`;
}

function resultPart(result: RunResultView, isOpen: boolean): Html {
  const { id, type, action, reason, errorCode, diff, durationMs } = result;
  const head = html`${stateBadge(action)} <span class="cell-main">${id}</span> <code class="muted">${type}</code>
    <span class="muted small result-time">${duration(durationMs)}</span>`;
  const body = html`<p class="result-reason">${reason}${errorCode !== '' && html` <code>${errorCode}</code>`}</p>
    ${diffView(diff, `What ${action === 'failed' ? 'should change' : 'changed'} in ${id}`)}`;
  return isOpen
    ? html`<article class="result"><h3>${head}</h3>${body}</article>`
    : html`<details class="result"><summary>${head}</summary>${body}</details>`;
}

function incidents({ incidents: list }: RunDetailView): Html | undefined {
  if (list.length === 0) return undefined;
  return html`<div class="callout state-bad"><p><strong>The agent refused something</strong></p><ul>${list.map(
    ({ code, message, atMs }) => html`<li>${timeAt(atMs)} <code>${code}</code> ${message}</li>`,
  )}</ul></div>`;
}
