import { approvalRoutes } from './approval.ts';
import { explainRoutes } from './explain.ts';
import { historyRoutes } from './history.ts';
import { publishRoutes } from './publish.ts';
import { rolloutRoutes } from './rollout.ts';

/** Everything below /api/v1/config that the publish pipeline answers. */
export const configRoutes = [
  ...publishRoutes,
  ...approvalRoutes,
  ...historyRoutes,
  ...rolloutRoutes,
  ...explainRoutes,
];
