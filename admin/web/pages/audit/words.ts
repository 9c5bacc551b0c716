import type { AuditView } from '../../../api/backend.ts';
import { badge, type StateTone } from '../../components/state-badge.ts';
import { type Html, html } from '../../html.ts';
import { part } from '../../path.ts';

/** Families of events, as a filter offers them. */
export const families: readonly (readonly [string, string])[] = [
  ['', 'everything'],
  ['policy.*', 'policy'],
  ['candidate.*', 'approvals'],
  ['rollout.*', 'rollouts'],
  ['release.*', 'agent releases'],
  ['update.*', 'agent updates'],
  ['enrollment.*', 'enrollment'],
  ['token.*', 'enrollment tokens'],
  ['envoy.*', 'envoys'],
  ['account.*', 'accounts'],
  ['session.*', 'sessions'],
  ['access.*', 'API tokens'],
  ['secret.*', 'secrets'],
  ['request.*', 'refused requests'],
  ['audit.*', 'the log itself'],
  ['server.*', 'the server'],
];

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const wrong =
  /refused|bad_signature|replayed|skew|mismatch|failed|incident|rolled_back|revoked|stopped$/;

/** Events that somebody should look at stand out. */
export function eventBadge(type: string): Html {
  const tone: StateTone = wrong.test(type) ? 'warning' : 'notice';
  return badge(type, tone, tone === 'warning' ? 'diamond' : 'disc');
}

/** "admin:alice", "envoy:<uuid>", "server": with a link where there is a page. */
export function actorView(actor: string): Html {
  const [kind, name] = [actor.slice(0, actor.indexOf(':')), actor.slice(actor.indexOf(':') + 1)];
  if (kind === 'admin') return html`${name}`;
  if (kind === 'envoy') return html`envoy ${subjectView(name)}`;
  return html`<span class="muted">${actor}</span>`;
}

export function subjectView(subject: string): Html {
  if (uuid.test(subject))
    return html`<a class="mono" href="/envoys/${part(subject)}">${subject.slice(0, 8)}</a>`;
  return html`<span class="mono">${subject}</span>`;
}

/** The details in one line, for the list. */
export function detailLine({ details }: AuditView): string {
  return Object.entries(details)
    .map(([name, value]) => `${name}: ${value}`)
    .join(', ');
}
