import type { Address } from '../../runtime/actor.ts';
import type { FleetMinute } from '../sink/fleet-history.ts';
import type { SavedView } from '../sink/fleet-views.ts';

/**
 * What administrators note about the fleet, and its history. `by` is "admin:<name>"; whether that
 * administrator may do it was decided before.
 */
export type FleetMessages = {
  /** Somebody begins or ends work on the machine. Rejects with FLEET_ENVOY_UNKNOWN. */
  maintenance: {
    payload: { envoyId: string; on: boolean; reason: string; by: string };
    reply: undefined;
  };
  /** Replaces a view of the same name. Rejects with FLEET_VIEW_LIMIT. */
  saveView: {
    payload: { owner: string; name: string; query: SavedView['query'] };
    reply: { changedAtMs: number };
  };
  /** Rejects with FLEET_VIEW_UNKNOWN. */
  removeView: { payload: { owner: string; name: string }; reply: undefined };
  /** From the recorder. */
  minute: { payload: Omit<FleetMinute, 'record'>; reply: undefined };
};

export function fleetAddress(): Address<FleetMessages> {
  return { kind: 'fleet', key: 'main' };
}
