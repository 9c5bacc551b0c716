import { Type } from 'typebox';
import { releasesAddress } from '../../../actors/releases/messages.ts';
import { AdminError } from '../../errors.ts';
import { route } from '../route.ts';
import { nothing, object } from '../schemas.ts';

const askDeadlineMs = 20_000;
/** Hashing and unpacking a large artefact. */
const addDeadlineMs = 120_000;
const partCharacters = 720_000;
const signedCharacters = 24_000;
const listMax = 16;
const globMax = 50;
const defaultCheckIns = 3;
const defaultTrialSeconds = 300;
const defaultMaxFailures = 3;

const version = Type.String({ pattern: '^\\d+\\.\\d+\\.\\d+[0-9A-Za-z.+-]{0,24}$' });
const platform = Type.String({ pattern: '^[a-z0-9]{2,16}-[a-z0-9]{2,16}$' });
const reason = Type.Optional(Type.String({ maxLength: 500 }));
const versionParameter = object({ version });
const summaries = { pause: 'Hold', resume: 'Go on with', stop: 'End' } as const;

/** Releases of the agent and how they reach the fleet; docs/updates.md. */
export const releaseRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/releases',
    summary: 'List releases of the agent, newest first, with the rollout and how far it came',
    access: 'releases.read',
    parameters: nothing,
    query: nothing,
    body: undefined,
    handle: async ({ backend }) => {
      const list = await backend.ask(releasesAddress(), 'list', {}, askDeadlineMs);
      return { ...list, fleet: backend.views.agentVersions() };
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/releases/upload',
    summary: 'Send a part of an artefact (gzip); the first part begins anew',
    access: 'releases.manage',
    parameters: nothing,
    query: nothing,
    body: object({
      version,
      platform,
      offset: Type.Integer({ minimum: 0 }),
      data: Type.String({ maxLength: partCharacters, pattern: '^[A-Za-z0-9+/]*=*$' }),
    }),
    handle: ({ backend, body }) => {
      const part = { ...body, data: new Uint8Array(Buffer.from(body.data, 'base64')) };
      return backend.ask(releasesAddress(), 'upload', part, askDeadlineMs);
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/releases',
    summary:
      'Make a release of what was uploaded: signed by this server, or as it was signed elsewhere',
    access: 'releases.manage',
    parameters: nothing,
    query: nothing,
    body: object({
      version,
      platform,
      minimumAgent: Type.Optional(version),
      downgradeFrom: Type.Optional(Type.Array(version, { maxItems: listMax })),
      releaseKeys: Type.Optional(
        Type.Array(Type.String({ pattern: '^[0-9a-f]{64}$' }), { maxItems: listMax }),
      ),
      signed: Type.Optional(
        Type.String({ maxLength: signedCharacters, description: 'SignedRelease, base64' }),
      ),
    }),
    handle: ({ backend, body, by }) => {
      const { signed } = body;
      const payload = {
        version: body.version,
        platform: body.platform,
        minimumAgent: body.minimumAgent ?? '',
        downgradeFrom: body.downgradeFrom ?? [],
        releaseKeys: body.releaseKeys ?? [],
        signed: signed === undefined ? undefined : new Uint8Array(Buffer.from(signed, 'base64')),
        by,
      };
      return backend.ask(releasesAddress(), 'add', payload, addDeadlineMs);
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/releases/{version}',
    summary: 'Show a release on every platform that it was built for',
    access: 'releases.read',
    parameters: versionParameter,
    query: nothing,
    body: undefined,
    handle: async ({ backend, parameters }) => {
      const { items, rollout } = await backend.ask(releasesAddress(), 'list', {}, askDeadlineMs);
      const found = items.filter((item) => item.version === parameters.version);
      if (found.length === 0)
        throw new AdminError('API_NOT_FOUND', `release ${parameters.version}`);
      const own = rollout?.version === parameters.version ? rollout : undefined;
      return { version: parameters.version, items: found, rollout: own };
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/releases/{version}',
    summary: 'Remove a release that is not being rolled out',
    access: 'releases.manage',
    parameters: versionParameter,
    query: object({ platform: Type.Optional(platform) }),
    body: undefined,
    handle: ({ backend, parameters, query, by }) => {
      const payload = { version: parameters.version, platform: query.platform, by };
      return backend.ask(releasesAddress(), 'remove', payload, askDeadlineMs);
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/releases/{version}/rollout',
    summary: 'Send a share of the fleet, or host names, to this version; again: a larger share',
    access: 'releases.manage',
    parameters: versionParameter,
    query: nothing,
    body: object({
      percent: Type.Number({ minimum: 0, maximum: 100 }),
      match: Type.Optional(Type.Array(Type.String({ maxLength: 253 }), { maxItems: globMax })),
      trialCheckIns: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
      trialSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 86_400 })),
      maxFailures: Type.Optional(Type.Integer({ minimum: 0, maximum: 1000 })),
      reason,
    }),
    handle: ({ backend, parameters, body, by }) => {
      const payload = {
        version: parameters.version,
        percent: body.percent,
        match: body.match ?? [],
        trialCheckIns: body.trialCheckIns ?? defaultCheckIns,
        trialSeconds: body.trialSeconds ?? defaultTrialSeconds,
        maxFailures: body.maxFailures ?? defaultMaxFailures,
        by,
        reason: body.reason ?? '',
      };
      return backend.ask(releasesAddress(), 'rollout', payload, askDeadlineMs);
    },
  }),
  ...(['pause', 'resume', 'stop'] as const).map((order) =>
    route({
      method: 'POST',
      path: `/api/v1/releases/rollout/${order}`,
      summary: `${summaries[order]} the rollout of a release`,
      access: 'releases.manage',
      parameters: nothing,
      query: nothing,
      body: object({ reason }),
      handle: ({ backend, body, by }) => {
        const payload = { by, reason: body.reason ?? '' };
        return backend.ask(releasesAddress(), order, payload, askDeadlineMs);
      },
    }),
  ),
  route({
    method: 'POST',
    path: '/api/v1/releases/{version}/return',
    summary: 'Send the envoys that run this version back to an older one',
    access: 'releases.manage',
    parameters: versionParameter,
    query: nothing,
    body: object({ to: version, reason }),
    handle: ({ backend, parameters, body, by }) => {
      const payload = { from: parameters.version, to: body.to, by, reason: body.reason ?? '' };
      return backend.ask(releasesAddress(), 'return', payload, askDeadlineMs);
    },
  }),
];
