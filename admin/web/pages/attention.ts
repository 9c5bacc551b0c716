import type { Static } from 'typebox';
import type { overviewShape } from '../../api/shapes/overview.ts';
import { icon } from '../components/icon.ts';
import { badge, type StateTone } from '../components/state-badge.ts';
import { timeAgo } from '../components/time.ts';
import { type Html, html } from '../html.ts';
import { part, pathTo } from '../path.ts';

type Attention = Static<typeof overviewShape>['attention'][number];

const tones: Readonly<Record<Attention['severity'], StateTone>> = {
  critical: 'bad',
  warning: 'warning',
  info: 'notice',
};
const shapes = { critical: 'square', warning: 'triangle', info: 'disc' } as const;

const examplesMax = 3;

/** Where what is no envoy is seen and decided. */
const places: Readonly<Record<string, string>> = {
  approval: '/approvals',
  rollout: '/rollout',
  freeze: '/policy',
  certificate: '/server',
  token: '/enrollment',
};

function placeOf({ kind, state }: Attention): string {
  return state === undefined ? (places[kind] ?? '/') : pathTo('/envoys', { state });
}

/** What waits for somebody, most urgent first; or that nothing does. */
export function attentionList(matters: readonly Attention[], nowMs: number): Html {
  if (matters.length === 0) {
    return html`<div class="empty">${icon('check')}<strong>Nobody is needed</strong><p>Envoys that fail, drift or fall silent, approvals and stopped rollouts stand here.</p></div>`;
  }
  return html`<ul class="notes">${matters.map((matter) => attentionItem(matter, nowMs))}</ul>`;
}

function attentionItem(matter: Attention, nowMs: number): Html {
  const { severity, text, sinceMs, examples } = matter;
  return html`<li>${badge(severity, tones[severity], shapes[severity])}
    <a class="cell-main" href="${placeOf(matter)}">${text}</a>
    <p>${sinceMs !== undefined && html`${timeAgo(sinceMs, nowMs)} `}${examples
      .slice(0, examplesMax)
      .map(({ id, name }) => html`<a href="/envoys/${part(id)}">${name}</a> `)}</p></li>`;
}
