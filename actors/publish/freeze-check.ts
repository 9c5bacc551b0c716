import { ServerError } from '../errors.ts';
import type { PublishContext } from './context.ts';
import { freezeAt } from './freeze.ts';
import type { PublishState } from './state.ts';

/** Throws PUBLISH_FROZEN. */
export function checkNotFrozen({ options, nowMs }: PublishContext, state: PublishState): void {
  const freeze = freezeAt(state, options.settings.freezeWindows, nowMs);
  if (freeze === undefined) return;
  const { reason, by, untilMs } = freeze;
  const until = untilMs === undefined ? 'unfreeze' : new Date(untilMs).toISOString();
  throw new ServerError('PUBLISH_FROZEN', { reason, by, until });
}
