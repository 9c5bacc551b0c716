import { Type } from 'typebox';
import { explainAddress, searchKinds } from '../../../../actors/explain/messages.ts';
import type { Backend } from '../../backend.ts';
import { route } from '../../route.ts';
import { nameLengthMax, nothing, object } from '../../schemas.ts';
import {
  publishDeadlineMs,
  stackBytesMax,
  stackReference,
  toReference,
  uploadedFiles,
  withUpload,
} from './shared.ts';

const matchesMax = 1000;
const defaultMatches = 200;

/** Which stack is asked about: by default the server's directory. */
const source = { of: Type.Optional(stackReference), files: Type.Optional(uploadedFiles) };

const sourceOf = (body: { of?: string }) => ({ of: toReference(body.of ?? 'stack') });

/** With what the envoy of this name or UUID reported, when exactly one is known by it. */
function hostOf(backend: Backend, name: string): { hostname: string; traitsJson?: string } {
  const [envoy, other] = backend.views.findEnvoys(name).filter(({ revoked }) => !revoked);
  if (envoy === undefined || other !== undefined) return { hostname: name };
  const traitsJson = backend.views.traits(envoy.id);
  return { hostname: envoy.hostname, ...(traitsJson === undefined ? {} : { traitsJson }) };
}

export const explainRoutes = [
  route({
    method: 'POST',
    path: '/api/v1/config/trace',
    summary: 'Explain what a host gets: which entry, modules, variables, resources, and why',
    access: 'config.read',
    parameters: nothing,
    query: nothing,
    body: object({
      ...source,
      hostname: Type.String({ minLength: 1, maxLength: nameLengthMax }),
    }),
    bodyBytesMax: stackBytesMax,
    handle: ({ backend, body }) =>
      withUpload(backend, body.files, (at) => {
        const request = { ...sourceOf(body), ...at, ...hostOf(backend, body.hostname) };
        return backend.ask(explainAddress(), 'trace', request, publishDeadlineMs);
      }),
  }),
  route({
    method: 'POST',
    path: '/api/v1/config/usage',
    summary: 'Explain where a module is used',
    access: 'config.read',
    parameters: nothing,
    query: nothing,
    body: object({
      ...source,
      module: Type.String({ minLength: 1, maxLength: nameLengthMax }),
    }),
    bodyBytesMax: stackBytesMax,
    handle: ({ backend, body }) =>
      withUpload(backend, body.files, (at) => {
        const request = { ...sourceOf(body), ...at, module: body.module };
        return backend.ask(explainAddress(), 'usage', request, publishDeadlineMs);
      }),
  }),
  route({
    method: 'POST',
    path: '/api/v1/config/tree',
    summary: 'Show the directories of a stack, what stands in them and what they inherit',
    access: 'config.read',
    parameters: nothing,
    query: nothing,
    body: object(source),
    bodyBytesMax: stackBytesMax,
    handle: ({ backend, body }) =>
      withUpload(backend, body.files, (at) =>
        backend.ask(explainAddress(), 'tree', { ...sourceOf(body), ...at }, publishDeadlineMs),
      ),
  }),
  route({
    method: 'POST',
    path: '/api/v1/config/search',
    summary:
      'Find modules, roles, entries, resources, variables, files and lines, with their place',
    access: 'config.read',
    parameters: nothing,
    query: nothing,
    body: object({
      ...source,
      pattern: Type.String({ minLength: 1, maxLength: nameLengthMax }),
      kinds: Type.Optional(
        Type.Array(Type.Enum([...searchKinds]), { minItems: 1, maxItems: searchKinds.length }),
      ),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: matchesMax })),
    }),
    bodyBytesMax: stackBytesMax,
    handle: ({ backend, body }) =>
      withUpload(backend, body.files, (at) => {
        const { pattern, kinds = searchKinds, limit = defaultMatches } = body;
        const request = { ...sourceOf(body), ...at, pattern, kinds, limit };
        return backend.ask(explainAddress(), 'search', request, publishDeadlineMs);
      }),
  }),
];
