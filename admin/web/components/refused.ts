import { type Problem, problemOf } from '../../api/problem.ts';
import { type Html, html } from '../html.ts';

/** What was refused, where a part of a page would have stood. */
export class Refused {
  readonly problem: Problem;

  constructor(problem: Problem) {
    this.problem = problem;
  }
}

/** A part that may be refused while the rest of the page stands; what broke still breaks the page. */
export async function partOf<T>(reading: Promise<T>): Promise<T | Refused> {
  try {
    return await reading;
  } catch (error) {
    const problem = problemOf(error, '');
    if (problem.status >= 500 && problem.status !== 503) throw error;
    return new Refused(problem);
  }
}

export function refusedNote({ problem }: Refused): Html {
  const { detail, remedy, code } = problem;
  return html`<div class="callout state-warning"><p>${detail}</p>
    <p class="muted small">${remedy} <code>${code}</code></p></div>`;
}
