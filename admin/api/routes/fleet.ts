import { Type } from 'typebox';
import { publishQueryAddress } from '../../../actors/publish/messages.ts';
import { rolloutAddress } from '../../../actors/rollout/messages.ts';
import type { EndingTokens, FleetWindow } from '../../../actors/sink/fleet-views.ts';
import { attentionOf } from '../attention.ts';
import type { Principal } from '../authenticate.ts';
import { certificateAttention } from '../certificate-attention.ts';
import { reachOf } from '../policy-decision.ts';
import { route } from '../route.ts';
import { nothing, object } from '../schemas.ts';
import { tokenAttention } from '../token-attention.ts';

/** A page that waits for a busy actor is worse than a page without what it would tell. */
const askDeadlineMs = 1_000;
const windows: readonly FleetWindow[] = ['24h', '7d'];

export const fleetRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/fleet/overview',
    summary: 'Show the whole fleet: states now and over time, versions, today, what needs a person',
    access: 'envoys.read',
    parameters: nothing,
    query: object({
      window: Type.Optional(Type.Enum(windows, { description: 'of the series; 24h by default' })),
    }),
    body: undefined,
    handle: async ({ backend, query, asker }) => {
      const nowMs = backend.nowMs();
      const [publish, rollout] = await Promise.all([
        backend.ask(publishQueryAddress(), 'status', {}, askDeadlineMs).catch(() => undefined),
        backend.ask(rolloutAddress(), 'status', {}, askDeadlineMs).catch(() => undefined),
      ]);
      const overview = backend.views.fleet.overview(query.window ?? '24h', nowMs);
      const { certificates } = backend.views.fleet;
      const more = [
        ...attentionOf({ publish, rollout, certificates, nowMs }),
        ...certificateAttention(backend.views.fleet.endingCertificates(nowMs), nowMs),
        ...tokenAttention(shownTo(asker, backend.views.fleet.ending(nowMs)), nowMs),
      ];
      return { ...overview, attention: [...overview.attention, ...more].sort(bySeverity) };
    },
  }),
];

/** Who may not see everybody's API tokens sees the own ones. */
function shownTo(asker: Principal, { api, enrollment }: EndingTokens): EndingTokens {
  const seesAll = reachOf(asker, 'access.read').everywhere;
  const own = (accountId: string | null) => accountId !== null && accountId === asker.accountId;
  return {
    api: seesAll ? api : api.filter(({ accountId }) => own(accountId)),
    enrollment: reachOf(asker, 'tokens.read').everywhere ? enrollment : [],
  };
}

const severities = ['critical', 'warning', 'info'];

function bySeverity(a: { severity: string }, b: { severity: string }): number {
  return severities.indexOf(a.severity) - severities.indexOf(b.severity);
}
