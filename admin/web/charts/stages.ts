import { type Html, html } from '../html.ts';
import { type Part, segmentedBar } from './parts.ts';

export type StageState = 'done' | 'current' | 'waiting' | 'stopped';

export interface Stage {
  /** "5%", "canary-*". */
  readonly label: string;
  readonly state: StageState;
  /** Under the label: "since 14:30", "envoys: 12". */
  readonly note?: string;
}

const stateWords: Readonly<Record<StageState, string>> = {
  done: 'passed',
  current: 'under way',
  waiting: 'not begun',
  stopped: 'stopped here',
};

/** The stages of a rollout in order, as steps; where it stands is said by words, shape and colour. */
export function stageSteps(id: string, stages: readonly Stage[]): Html {
  return html`<ol class="stages" id="${id}" aria-label="Stages">${stages.map(
    ({ label, state, note }, at) =>
      html`<li class="stage stage-${state}"${state === 'current' ? html` aria-current="step"` : ''}>
        <svg class="stage-mark" viewBox="0 0 20 20" aria-hidden="true">${mark(state)}</svg>
        <span class="stage-label"><span class="visually-hidden">Stage ${at + 1}: </span>${label}</span>
        <span class="muted">${note ?? stateWords[state]}</span>
        ${note === undefined ? '' : html`<span class="visually-hidden">(${stateWords[state]})</span>`}
      </li>`,
  )}</ol>`;
}

function mark(state: StageState): Html {
  if (state === 'done') return html`<circle cx="10" cy="10" r="9"/><path d="M5.5 10.5l3 3 6-7"/>`;
  if (state === 'stopped')
    return html`<circle cx="10" cy="10" r="9"/><path d="M6.5 6.5l7 7M13.5 6.5l-7 7"/>`;
  if (state === 'current')
    return html`<circle cx="10" cy="10" r="9"/><circle class="stage-dot" cx="10" cy="10" r="4"/>`;
  return html`<circle cx="10" cy="10" r="9"/>`;
}

/** How the envoys are that a rollout has reached. */
export interface ReachedEnvoys {
  readonly healthy: number;
  readonly unjudged: number;
  readonly failing: number;
  readonly silent: number;
  readonly pending: number;
  readonly offline: number;
}

/** The envoys of the stages so far, by how they are. */
export function rolloutHealthBar(id: string, health: ReachedEnvoys): Html {
  const parts: readonly Part[] = [
    { label: 'healthy', tone: 'good', value: health.healthy },
    { label: 'to report', tone: 'unknown', value: health.pending },
    { label: 'failing as before', tone: 'warning', value: health.unjudged },
    { label: 'failing', tone: 'bad', value: health.failing },
    { label: 'silent', tone: 'serious', value: health.silent },
    { label: 'offline', tone: 'away', value: health.offline },
  ];
  const told = parts.filter(({ value }) => value > 0);
  const words = told.map(({ label, value }) => `${value} ${label}`).join(', ');
  const description =
    words === '' ? 'No envoy was reached yet.' : `Of the envoys reached: ${words}.`;
  return segmentedBar({ id, title: 'Health of the envoys reached', description, parts });
}
