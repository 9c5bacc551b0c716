import type { Route } from '../api/route.ts';
import { assetRoute } from './assets.ts';
import { docsRoutes } from './docs/docs-pages.ts';
import { accountPages } from './pages/account.ts';
import { auditPages } from './pages/audit/index.ts';
import { tokensPage } from './pages/enrollment/tokens.ts';
import { envoyPages } from './pages/envoy.ts';
import { envoyListPages } from './pages/envoys.ts';
import { loginPages } from './pages/login.ts';
import { overviewPage } from './pages/overview.ts';
import { peoplePages } from './pages/people/index.ts';
import { planPages } from './pages/plans/index.ts';
import { policyPages } from './pages/policy/index.ts';
import { releasesPage } from './pages/releases/releases.ts';
import { runPages } from './pages/runs.ts';
import { secretsPage } from './pages/secrets/names.ts';
import { serverPages } from './pages/server/index.ts';
import { workPage } from './pages/work/work.ts';

/** Every page there is, and what pages load. The router serves them beside the API's routes. */
export const pageTable: readonly Route[] = [
  assetRoute,
  ...docsRoutes,
  ...loginPages,
  ...accountPages,
  overviewPage,
  ...envoyListPages,
  ...envoyPages,
  ...runPages,
  ...policyPages,
  ...planPages,
  tokensPage,
  ...auditPages,
  secretsPage,
  ...peoplePages,
  ...serverPages,
  releasesPage,
  workPage,
];
