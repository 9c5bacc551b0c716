import { metricsMediaType } from '../metrics/metrics.ts';
import { route } from '../route.ts';
import { nothing } from '../schemas.ts';

export const statusRoutes = [
  route({
    method: 'GET',
    path: '/healthz',
    summary: 'Whether the process answers; says nothing more',
    access: 'public',
    parameters: nothing,
    query: nothing,
    body: undefined,
    handle: async () => ({ ok: true }),
  }),
  route({
    method: 'GET',
    path: '/api/v1/status',
    summary: 'Show the server: fleet counts, shards, sink, memory',
    access: 'status.read',
    parameters: nothing,
    query: nothing,
    body: undefined,
    handle: ({ backend }) => backend.views.status(),
  }),
  route({
    method: 'GET',
    path: '/metrics',
    summary: 'Figures for Prometheus, in its exposition format 0.0.4',
    access: 'status.read',
    mediaType: metricsMediaType,
    parameters: nothing,
    query: nothing,
    body: undefined,
    handle: ({ backend }) => backend.metrics(),
  }),
];
