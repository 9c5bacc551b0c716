import { Type } from 'typebox';
import {
  backupAddress,
  backupNamePattern,
  backupQueryAddress,
} from '../../../actors/backup/messages.ts';
import { route } from '../route.ts';
import { nothing, object } from '../schemas.ts';

const askDeadlineMs = 20_000;
/** A large database is copied, packed and encrypted. */
const createDeadlineMs = 3_600_000;
const passphraseLengthMin = 12;
const textLengthMax = 1000;
const recipientsMax = 20;
const keepMax = 1000;

const nameParameter = object({ name: Type.String({ pattern: backupNamePattern.source }) });

export const backupRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/backups',
    summary: 'List the backups on the server, newest first, and the one that is being made',
    access: 'status.read',
    parameters: nothing,
    query: nothing,
    body: undefined,
    handle: ({ backend }) => backend.ask(backupQueryAddress(), 'list', {}, askDeadlineMs),
  }),
  route({
    method: 'POST',
    path: '/api/v1/backups',
    summary:
      'Make a backup of stack, secrets, keys and database as one unit, while the server runs',
    access: 'backup.manage',
    parameters: nothing,
    query: nothing,
    body: object({
      note: Type.Optional(Type.String({ maxLength: textLengthMax, description: 'why' })),
      passphrase: Type.Optional(
        Type.String({
          minLength: passphraseLengthMin,
          maxLength: textLengthMax,
          description: 'encrypts to it (age); kept nowhere',
        }),
      ),
      recipients: Type.Optional(
        Type.Array(Type.String({ pattern: '^age1[0-9a-z]{10,8000}$' }), {
          maxItems: recipientsMax,
          description: 'encrypts to these public keys of age',
        }),
      ),
      agents: Type.Optional(
        Type.Boolean({ description: "also the agent's programs; default true" }),
      ),
      keep: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: keepMax,
          description: 'remove older ones beyond so many',
        }),
      ),
    }),
    handle: ({ backend, body, by }) => {
      const { note = '', agents = true, ...more } = body;
      return backend.ask(
        backupAddress(),
        'create',
        { ...more, note, agents, by },
        createDeadlineMs,
      );
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/backups/{name}/check',
    summary: 'Read a backup again and compare it with the hash that it was made with',
    access: 'status.read',
    parameters: nameParameter,
    query: nothing,
    body: object({}),
    handle: ({ backend, parameters }) =>
      backend.ask(backupQueryAddress(), 'check', parameters, createDeadlineMs),
  }),
  route({
    method: 'GET',
    path: '/api/v1/backups/{name}/content',
    summary: 'Take a backup off the server; audited',
    access: 'backup.manage',
    mediaType: 'application/octet-stream',
    parameters: nameParameter,
    query: nothing,
    body: undefined,
    handle: async ({ backend, parameters, by }) => {
      await backend.ask(backupQueryAddress(), 'take', { ...parameters, by }, askDeadlineMs);
      return await backend.backups.open(parameters.name);
    },
  }),
];
