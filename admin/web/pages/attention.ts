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
  'api-token': '/people/tokens',
  'envoy-certificate': pathTo('/envoys', { sort: 'certificate' }),
};

/** Undefined: the reader has no page of it. */
function placeOf({ kind, state }: Attention, seesTokens: boolean): string | undefined {
  if (state !== undefined) return pathTo('/envoys', { state });
  return kind === 'api-token' && !seesTokens ? undefined : places[kind];
}

/** What waits for somebody, most urgent first; or that nothing does. */
export function attentionList(
  matters: readonly Attention[],
  nowMs: number,
  seesTokens: boolean,
): Html {
  if (matters.length === 0) {
    return html`<div class="empty">${icon('check')}<strong>Nobody is needed</strong><p>Envoys that fail, drift or fall silent, approvals, stopped rollouts and what is about to end stand here.</p></div>`;
  }
  return html`<ul class="notes">${matters.map((matter) => attentionItem(matter, nowMs, seesTokens))}</ul>`;
}

function attentionItem(matter: Attention, nowMs: number, seesTokens: boolean): Html {
  const { kind, severity, text, sinceMs, state, examples } = matter;
  const ofEnvoys = state !== undefined || kind === 'envoy-certificate';
  const place = placeOf(matter, seesTokens);
  const shown = examples
    .slice(0, examplesMax)
    .map(({ id, name }) =>
      ofEnvoys ? html`<a href="/envoys/${part(id)}">${name}</a> ` : html`${name} `,
    );
  return html`<li>${badge(severity, tones[severity], shapes[severity])}
    ${place === undefined ? html`<span class="cell-main">${text}</span>` : html`<a class="cell-main" href="${place}">${text}</a>`}
    <p>${sinceMs !== undefined && html`${timeAgo(sinceMs, nowMs)} `}${shown}</p></li>`;
}
