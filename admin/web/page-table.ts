import type { Route } from '../api/route.ts';
import { assetRoute } from './assets.ts';
import { loginPages } from './pages/login.ts';

/** Every page there is, and what pages load. The router serves them beside the API's routes. */
export const pageTable: readonly Route[] = [assetRoute, ...loginPages];
