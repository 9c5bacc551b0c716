import type { Problem } from '../../api/problem.ts';
import { type Html, html } from '../html.ts';

/** What was refused or broke: the code, the reason, what to do, and the id to look for in the log. */
export function errorPanel(
  problem: Pick<Problem, 'code' | 'detail' | 'remedy'> & { readonly traceId?: string },
): Html {
  return html`<section class="panel error-panel" role="alert">
    <p class="error-detail">${problem.detail}</p>
    <p>${problem.remedy}</p>
    <p class="muted small"><code>${problem.code}</code>${
      problem.traceId && html` · trace <code>${problem.traceId}</code>`
    }</p>
    <p><a class="button" href="/">To the overview</a></p>
  </section>`;
}
