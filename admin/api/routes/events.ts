import { type Static, Type } from 'typebox';
import { AdminError } from '../../errors.ts';
import { Answer } from '../answer.ts';
import { eventFilter } from '../live/filter.ts';
import type { JournalEntry } from '../live/journal.ts';
import { LiveBody } from '../live/outlet.ts';
import { route } from '../route.ts';
import { nameLengthMax, nothing, object, pageLimitMax } from '../schemas.ts';

/** `x-accel-buffering`: nginx would hold events back. */
const streamHeaders = { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' };
const envoysMax = 50;
const everySecondsMax = 300;
const typesLengthMax = 1_000;
const idPattern = /^\d{1,16}$/;

const text = Type.Optional(Type.String());
const liveEvent = object({
  id: Type.Integer({ description: 'rises' }),
  type: Type.String({ description: 'such as envoy.state; see docs/api.md' }),
  atMs: Type.Number(),
  envoyId: text,
  actor: text,
  subject: text,
  auditSequence: Type.Optional(Type.Integer({ description: 'of the entry that tells of it' })),
  data: Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()])),
});

function eventOf({ json }: JournalEntry): Static<typeof liveEvent> {
  return JSON.parse(json) as Static<typeof liveEvent>;
}

/** The id of the last event that the viewer has: a browser tells it in a header when it comes back. */
function cursorOf(after: number | undefined, lastEventId: string | undefined): number | undefined {
  if (lastEventId === undefined || lastEventId === '') return after;
  if (idPattern.test(lastEventId)) return Number(lastEventId);
  throw new AdminError('API_BAD_REQUEST', 'Last-Event-ID is no id of an event');
}

export const eventRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/events',
    summary:
      'Live events: as server-sent events (Accept: text/event-stream), over WebSocket, or as a page',
    access: 'access.self',
    parameters: nothing,
    query: object({
      after: Type.Optional(
        Type.Integer({ minimum: 0, description: 'id of the last event that you have' }),
      ),
      type: Type.Optional(
        Type.String({
          maxLength: typesLengthMax,
          description: 'types or globs, with commas: "rollout.*,policy.published"',
        }),
      ),
      envoy: Type.Optional(
        Type.String({
          maxLength: nameLengthMax * envoysMax,
          description: 'UUIDs or host names, with commas',
        }),
      ),
      audited: Type.Optional(Type.Boolean({ description: 'only what stands in the audit log' })),
      every: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: everySecondsMax,
          description: 'seconds: of a stream, tell at most so often that there is news (`news`)',
        }),
      ),
      limit: Type.Optional(
        Type.Integer({ minimum: 1, maximum: pageLimitMax, description: 'of a page' }),
      ),
    }),
    body: undefined,
    answer: object({
      items: Type.Array(liveEvent),
      next: Type.Integer({ description: 'id behind which the next page begins' }),
    }),
    handle: async ({ backend, query, asker, header, recheck }) => {
      const { live, views } = backend;
      const names = query.envoy?.split(',').slice(0, envoysMax);
      const envoys = names?.flatMap((name) => views.findEnvoys(name).map(({ id }) => id));
      const filter = eventFilter(query.type, envoys, query.audited);
      const after = cursorOf(query.after, header('last-event-id'));
      const isStream = header('accept')?.includes('text/event-stream') ?? false;
      if (!isStream && header('upgrade') === undefined) {
        const { entries, next, gap } = live.page({ filter, after, asker }, query.limit ?? 100);
        if (gap) throw new AdminError('EVENTS_GAP', undefined, { next });
        return { items: entries.map(eventOf), next };
      }
      live.admit(asker);
      const { every } = query;
      const subscription = {
        ...{ filter, after, asker, recheck },
        ...(every === undefined ? {} : { everyMs: every * 1000 }),
        comesBack: header('last-event-id') !== undefined,
      };
      const body = new LiveBody((outlet) => live.open(subscription, outlet));
      return new Answer(200, streamHeaders, body);
    },
  }),
];
