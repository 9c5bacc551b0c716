import { type Html, html, ownMarkup } from '../html.ts';

/** What colours mean; charts use the same words. */
export type StateTone = 'good' | 'notice' | 'warning' | 'serious' | 'bad' | 'away' | 'unknown';

/** A shape for each state, so that nobody needs the colour: drawn in a box of 12 by 12. */
const shapes = {
  disc: '<circle cx="6" cy="6" r="5.4"/>',
  half: '<circle cx="6" cy="6" r="4.8" fill="none" stroke-width="1.4"/><path d="M6 1.2a4.8 4.8 0 0 1 0 9.6z"/>',
  diamond: '<path d="M6 .4L11.6 6 6 11.6.4 6z"/>',
  triangle: '<path d="M6 .8L11.7 11H.3z"/>',
  square: '<path d="M1 1h10v10H1z"/>',
  ring: '<circle cx="6" cy="6" r="4.6" fill="none" stroke-width="1.8"/>',
  dash: '<path d="M1 5h10v2H1z"/>',
  cross: '<path d="M2 2l8 8M10 2l-8 8" fill="none" stroke-width="2.2"/>',
  arrow: '<path d="M1 6h8M6 2l4 4-4 4" fill="none" stroke-width="1.8"/>',
} as const;

type Shape = keyof typeof shapes;

interface StateLook {
  readonly tone: StateTone;
  readonly shape: Shape;
}

/** How each state is shown: of envoys, runs, resources, rollouts. */
const looks: Readonly<Record<string, StateLook>> = {
  converged: { tone: 'good', shape: 'disc' },
  changed: { tone: 'notice', shape: 'half' },
  relapsed: { tone: 'notice', shape: 'half' },
  diverged: { tone: 'warning', shape: 'diamond' },
  degraded: { tone: 'serious', shape: 'triangle' },
  failed: { tone: 'bad', shape: 'square' },
  offline: { tone: 'away', shape: 'ring' },
  'no data': { tone: 'unknown', shape: 'dash' },
  revoked: { tone: 'unknown', shape: 'cross' },
  none: { tone: 'unknown', shape: 'dash' },
  created: { tone: 'good', shape: 'disc' },
  updated: { tone: 'notice', shape: 'half' },
  deleted: { tone: 'warning', shape: 'diamond' },
  skipped: { tone: 'unknown', shape: 'arrow' },
  blocked: { tone: 'serious', shape: 'triangle' },
};
const unknownLook: StateLook = { tone: 'unknown', shape: 'dash' };

export function toneOf(state: string): StateTone {
  return (looks[state] ?? unknownLook).tone;
}

/** The shape alone, in the tone of whatever stands around it. */
export function stateShape(state: string): Html {
  return shapeOf((looks[state] ?? unknownLook).shape);
}

export function stateBadge(state: string): Html {
  const { tone, shape } = looks[state] ?? unknownLook;
  return badge(state, tone, shape);
}

/** A word with a colour and a shape: for what is no state of the list above. */
export function badge(label: string, tone: StateTone, shape: Shape = 'disc'): Html {
  return html`<span class="badge state-${tone}">${shapeOf(shape)}${label}</span>`;
}

function shapeOf(shape: Shape): Html {
  return html`<svg class="shape" viewBox="0 0 12 12" aria-hidden="true">${ownMarkup(shapes[shape])}</svg>`;
}
