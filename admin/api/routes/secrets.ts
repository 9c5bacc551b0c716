import { Type } from 'typebox';
import { secretsAddress } from '../../../actors/secrets/messages.ts';
import { pageOfAll, wholeListQuery } from '../http/whole-list.ts';
import { route } from '../route.ts';
import { nothing, object } from '../schemas.ts';

const askDeadlineMs = 20_000;
/** Encrypting a full store anew. */
const rekeyDeadlineMs = 300_000;
const pathLengthMax = 300;
const valueLengthMax = 64 * 1024;
const rotateBytesMax = 1024;
const refreshMax = 1_000;

const path = Type.String({
  minLength: 1,
  maxLength: pathLengthMax,
  description: 'what follows "secret:" in the stack',
});

/** Paths stand in bodies: they hold slashes, and a value must never be part of an address. */
export const secretRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/secrets',
    summary: 'List secrets: paths and versions, no values',
    access: 'secrets.list',
    parameters: nothing,
    query: object(wholeListQuery),
    body: undefined,
    handle: async ({ backend, query }) => {
      const secrets = await backend.ask(secretsAddress(), 'list', {}, askDeadlineMs);
      return pageOfAll(secrets, query, ({ path }) => path);
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/secrets/init',
    summary: 'Make the master key of the local store',
    access: 'secrets.manage',
    parameters: nothing,
    query: nothing,
    body: object({}),
    handle: ({ backend, by }) => backend.ask(secretsAddress(), 'initialise', { by }, askDeadlineMs),
  }),
  route({
    method: 'POST',
    path: '/api/v1/secrets/set',
    summary: 'Set a secret; its users re-converge at their next check-in',
    access: 'secrets.write',
    parameters: nothing,
    query: nothing,
    body: object({ path, value: Type.String({ minLength: 1, maxLength: valueLengthMax }) }),
    handle: ({ backend, body, by }) =>
      backend.ask(secretsAddress(), 'set', { ...body, by }, askDeadlineMs),
  }),
  route({
    method: 'POST',
    path: '/api/v1/secrets/rotate',
    summary: 'Replace a secret by a random one',
    access: 'secrets.write',
    parameters: nothing,
    query: nothing,
    body: object({
      path,
      bytes: Type.Optional(Type.Integer({ minimum: 8, maximum: rotateBytesMax, default: 32 })),
    }),
    handle: ({ backend, body, by }) => {
      const payload = { path: body.path, bytes: body.bytes ?? 32, by };
      return backend.ask(secretsAddress(), 'rotate', payload, askDeadlineMs);
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/secrets/refresh',
    summary: 'Tell the users of secrets that an external store has changed them',
    access: 'secrets.write',
    parameters: nothing,
    query: nothing,
    body: object({ paths: Type.Array(path, { minItems: 1, maxItems: refreshMax }) }),
    handle: ({ backend, body, by }) =>
      backend.ask(secretsAddress(), 'refresh', { paths: body.paths, by }, askDeadlineMs),
  }),
  route({
    method: 'POST',
    path: '/api/v1/secrets/reveal',
    summary: 'Show the value of a secret; audited',
    access: 'secrets.reveal',
    parameters: nothing,
    query: nothing,
    body: object({ path }),
    handle: ({ backend, body, by }) =>
      backend.ask(secretsAddress(), 'reveal', { path: body.path, by }, askDeadlineMs),
  }),
  route({
    method: 'POST',
    path: '/api/v1/secrets/rekey',
    summary: 'Encrypt the local store under a new master key',
    access: 'secrets.manage',
    parameters: nothing,
    query: nothing,
    body: object({}),
    handle: ({ backend, by }) => backend.ask(secretsAddress(), 'rekey', { by }, rekeyDeadlineMs),
  }),
];
