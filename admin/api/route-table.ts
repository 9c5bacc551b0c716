import type { Route } from './route.ts';
import { accessRoutes } from './routes/access.ts';
import { accountKeyRoutes } from './routes/account-keys.ts';
import { auditRoutes } from './routes/audit.ts';
import { backupRoutes } from './routes/backups.ts';
import { configRoutes } from './routes/config/index.ts';
import { doctorRoutes } from './routes/doctor.ts';
import { envoyRoutes } from './routes/envoys.ts';
import { eventRoutes } from './routes/events.ts';
import { fleetRoutes } from './routes/fleet.ts';
import { installRoutes } from './routes/install.ts';
import { keyLoginRoutes } from './routes/key-login.ts';
import { loginRoutes } from './routes/login.ts';
import { oidcLoginRoutes } from './routes/oidc-login.ts';
import { ownAccountRoutes } from './routes/own-account.ts';
import { planRoutes } from './routes/plans.ts';
import { releaseRoutes } from './routes/releases.ts';
import { runRoutes } from './routes/runs.ts';
import { savedViewRoutes } from './routes/saved-views.ts';
import { schemaRoutes } from './routes/schemas.ts';
import { secretRoutes } from './routes/secrets.ts';
import { sessionRoutes } from './routes/session.ts';
import { statusRoutes } from './routes/status.ts';
import { tokenRoutes } from './routes/tokens.ts';
import { userRoutes } from './routes/users.ts';

/** Every operation there is. Tests walk this table: no route without a check of who asks. */
export const routeTable: readonly Route[] = [
  ...statusRoutes,
  ...eventRoutes,
  ...schemaRoutes,
  ...installRoutes,
  ...accessRoutes,
  ...sessionRoutes,
  ...loginRoutes,
  ...keyLoginRoutes,
  ...oidcLoginRoutes,
  ...accountKeyRoutes,
  ...userRoutes,
  ...ownAccountRoutes,
  ...tokenRoutes,
  ...envoyRoutes,
  ...fleetRoutes,
  ...savedViewRoutes,
  ...configRoutes,
  ...planRoutes,
  ...runRoutes,
  ...auditRoutes,
  ...backupRoutes,
  ...doctorRoutes,
  ...secretRoutes,
  ...releaseRoutes,
];
