import type {
  RehearsalSummary,
  RehearsedResource,
  RehearsedVariant,
} from '../../../../actors/plan/view.ts';
import { segmentedBar } from '../../charts/parts.ts';
import { diffView } from '../../components/diff-view.ts';
import { plural } from '../../components/numbers.ts';
import { badge, stateBadge } from '../../components/state-badge.ts';
import { timeAt } from '../../components/time.ts';
import { type Html, html } from '../../html.ts';
import { part } from '../../path.ts';

/** What the envoys said that tried it without doing it. */
export function rehearsalPanel(rehearsal: RehearsalSummary): Html {
  const { asked, answered, over, deadlineMs, silent, troubles, resources } = rehearsal;
  const parts = [
    { label: 'answered', tone: 'good', value: answered },
    {
      label: over ? 'no answer' : 'still to answer',
      tone: over ? 'warning' : 'unknown',
      value: asked - answered,
    },
  ] as const;
  return html`<section class="panel" aria-labelledby="rehearsal">
    <div class="panel-head"><h2 id="rehearsal">Rehearsal</h2>
      <span class="muted small">${over ? 'over' : html`until ${timeAt(deadlineMs)}`}</span></div>
    ${segmentedBar({
      id: 'rehearsal-answers',
      title: 'Envoys that were asked',
      description: `${answered} of ${asked} envoys answered.`,
      parts,
    })}
    ${silent.length > 0 && html`<p class="muted small">No answer from ${silent.join(', ')}</p>`}
    ${troubles.map(
      ({ hostname, trouble }) =>
        html`<p>${badge('could not try', 'bad', 'square')} <a href="/envoys/${part(hostname)}">${hostname}</a>: ${trouble}</p>`,
    )}
    ${resources.length === 0 && answered > 0 && html`<p class="muted">Nothing would change there.</p>`}
    ${resources.map(resourceView)}
  </section>`;
}

function resourceView(resource: RehearsedResource): Html | undefined {
  const variants = resource.variants.filter(({ action }) => action !== 'skipped');
  if (variants.length === 0) return undefined;
  const { id, type, moreVariants } = resource;
  return html`<details class="change" open>
    <summary><span class="mono">${id}</span> <span class="tag">${type}</span>
      <span class="muted">${spread(resource)}</span></summary>
    ${variants.map((variant) => variantView(variant, id))}
    ${moreVariants > 0 && html`<p class="muted">and ${plural(moreVariants, 'other answer')}</p>`}
  </details>`;
}

function spread({ actions, envoys }: RehearsedResource): string {
  const acting = Object.entries(actions)
    .filter(([action]) => action !== 'none')
    .map(([action, count]) => `${action} on ${count} of ${envoys}`);
  const right = actions.none ?? 0;
  return [...acting, ...(right > 0 ? [`${right} already right`] : [])].join('; ');
}

function variantView(variant: RehearsedVariant, id: string): Html {
  const { action, reason, diff, errorCode, assumed, envoys, hostname } = variant;
  return html`<p>${stateBadge(action)} ${errorCode !== '' && html`<code>${errorCode}</code> `}${reason}
    ${assumed && html`<span class="tag">rests on an assumption</span>`}
    <span class="muted small">${plural(envoys, 'envoy')}, such as <a href="/envoys/${part(hostname)}">${hostname}</a></span></p>
    ${diffView(diff, `What ${hostname} would do to ${id}`)}`;
}
