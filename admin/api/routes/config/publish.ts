import { Type } from 'typebox';
import { publishAddress, publishQueryAddress } from '../../../../actors/publish/messages.ts';
import { route } from '../../route.ts';
import { nameLengthMax, nothing, object } from '../../schemas.ts';
import { wholePlanId } from '../plan-id.ts';
import {
  contentHash,
  message,
  publishDeadlineMs,
  stackBytesMax,
  uploadedFiles,
  withUpload,
} from './shared.ts';

const stagesMax = 20;
const observeMsMax = 7 * 24 * 3600 * 1000;
const share = (description: string) => Type.Number({ minimum: 0, maximum: 1, description });
const version = Type.Integer({ minimum: 0, description: 'refused when another one is live' });

const offline = Type.Boolean({ description: 'URLs are not asked whether they answer' });

/** See RolloutRequest in actors/rollout/messages.ts. */
const rollout = object({
  stages: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: nameLengthMax }), {
      maxItems: stagesMax,
      description: '"25%" or globs of host names, each stage including the ones before',
    }),
  ),
  observeMs: Type.Optional(Type.Integer({ minimum: 0, maximum: observeMsMax })),
  threshold: Type.Optional(share('of the reached envoys that may fail')),
  leastConverged: Type.Optional(share('of the connected fleet that must be converged')),
  onFailure: Type.Optional(Type.Enum(['rollback', 'pause'])),
});

export const publishRoutes = [
  route({
    method: 'POST',
    path: '/api/v1/config/validate',
    summary: "Check the server's stack directory, or the files that are sent; changes nothing",
    access: 'config.validate',
    parameters: nothing,
    query: nothing,
    body: object({ files: Type.Optional(uploadedFiles), offline: Type.Optional(offline) }),
    bodyBytesMax: stackBytesMax,
    handle: ({ backend, body: { files, ...rest } }) =>
      withUpload(backend, files, (at) =>
        backend.ask(publishQueryAddress(), 'validate', { ...rest, ...at }, publishDeadlineMs),
      ),
  }),
  route({
    method: 'POST',
    path: '/api/v1/config/publish',
    changes: '/api/v1/config/version',
    summary:
      'Validate the stack, compile it and make it the policy of the fleet, or change nothing',
    access: 'config.publish',
    parameters: nothing,
    query: nothing,
    body: object({
      message: Type.Optional(message),
      files: Type.Optional(uploadedFiles),
      offline: Type.Optional(offline),
      expectedVersion: Type.Optional(version),
      contentHash: Type.Optional(contentHash),
      planId: Type.Optional(Type.String({ minLength: 1, maxLength: nameLengthMax })),
      promoted: Type.Optional(
        object({
          from: Type.String({ maxLength: nameLengthMax }),
          to: Type.String({ maxLength: nameLengthMax }),
        }),
      ),
      rollout: Type.Optional(rollout),
    }),
    bodyBytesMax: stackBytesMax,
    handle: ({ backend, body: { files, message: why = '', planId, ...rest }, by }) => {
      const plan = planId === undefined ? {} : { planId: wholePlanId(backend, planId) };
      return withUpload(backend, files, (at) =>
        backend.ask(
          publishAddress(),
          'publish',
          { ...rest, ...at, ...plan, message: why, by },
          publishDeadlineMs,
        ),
      );
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/config/rollback',
    changes: '/api/v1/config/version',
    summary: 'Make the stack of an earlier version live again, as a new version',
    access: 'config.publish',
    parameters: nothing,
    query: nothing,
    body: object({
      version: Type.Optional(Type.Integer({ minimum: 1, description: 'default: the one before' })),
      message: Type.Optional(message),
      expectedVersion: Type.Optional(version),
    }),
    handle: ({ backend, body, by }) =>
      backend.ask(
        publishAddress(),
        'rollback',
        { ...body, message: body.message ?? '', by },
        publishDeadlineMs,
      ),
  }),
];
