import { convergedPercent } from '../../actors/envoy/convergence.ts';
import type {
  EndingCertificates,
  EndingTokens,
  EnvoyDetailView,
  EnvoyView,
  FleetOverview,
  FleetWindow,
  ResourcesView,
  SavedView,
  TraitsView,
  TransitionView,
} from '../../actors/sink/fleet-views.ts';
import type { Page, SinkQueries } from '../../actors/sink/queries.ts';

/** What only pages of the fleet and of one envoy show. */
export interface FleetViews {
  detail(envoy: EnvoyView): EnvoyDetailView;
  /** Changes of state, newest first. */
  history(envoyId: string, limit: number, cursor: string | undefined): Page<TransitionView>;
  traits(envoy: EnvoyView): TraitsView | undefined;
  resources(envoyId: string): ResourcesView;
  /** Without what actors have to be asked for. */
  overview(window: FleetWindow, nowMs: number): FleetOverview;
  /** Tokens that end. */
  ending(nowMs: number): EndingTokens;
  /** Client certificates that nobody renewed. */
  endingCertificates(nowMs: number): EndingCertificates;
  /** By name. */
  savedViews(owner: string): readonly SavedView[];
  /** When the certificates of the server end, milliseconds since 1970. */
  readonly certificates: { readonly server: number; readonly authority: number };
}

const recentLimit = 10;

export function fleetViewsOf(
  queries: SinkQueries,
  certificates: FleetViews['certificates'],
): FleetViews {
  const { envoys, overview } = queries;
  const lastRuns = (envoyId: string) => queries.runs({ envoyId, limit: recentLimit }).items;
  return {
    certificates,
    detail: (envoy) => ({
      ...envoy,
      ...envoys.detail(envoy.id),
      runs: lastRuns(envoy.id),
      history: envoys.history(envoy.id, recentLimit).items,
    }),
    history: (envoyId, limit, cursor) => envoys.history(envoyId, limit, cursor),
    traits: ({ id, hostname }) => {
      const found = envoys.traits(id);
      return found && { ...found, hostname };
    },
    resources: (envoyId) => {
      const lastRun = lastRuns(envoyId).find(({ dryRun }) => !dryRun);
      const { total = 0, unchanged = 0 } = lastRun ?? {};
      return { items: envoys.resources(envoyId), total, unchanged, lastRun };
    },
    overview: (window, nowMs) => {
      const counts = envoys.counts();
      const { revoked, ...states } = counts;
      const active = Object.values(states).reduce((sum, count) => sum + count, 0);
      return {
        atMs: nowMs,
        envoys: {
          active,
          counts,
          inMaintenance: overview.inMaintenance(),
          convergedPercent: convergedPercent(counts.converged, active),
        },
        series: overview.series(window, nowMs),
        versions: {
          policy: overview.policyVersions(),
          agent: overview.agentVersions(() => queries.agentVersions()),
          livePolicy: overview.livePolicy(),
        },
        today: overview.today(nowMs),
        attention: overview.attention(),
      };
    },
    ending: (nowMs) => overview.ending(nowMs),
    endingCertificates: (nowMs) => overview.endingCertificates(nowMs),
    savedViews: (owner) => queries.savedViews(owner),
  };
}
