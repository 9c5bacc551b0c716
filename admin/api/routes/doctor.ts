import { doctorAddress, type ThreadFacts } from '../../../actors/doctor/messages.ts';
import type { StatusView } from '../backend.ts';
import { route } from '../route.ts';
import { nothing } from '../schemas.ts';

const askDeadlineMs = 25_000;

export const doctorRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/doctor',
    summary: 'Look for what is wrong with the server and its fleet, and say what to do about it',
    access: 'status.read',
    parameters: nothing,
    query: nothing,
    body: undefined,
    handle: async ({ backend }) => {
      const threads = threadFacts(await backend.views.status());
      return await backend.ask(doctorAddress(), 'examine', { threads }, askDeadlineMs);
    },
  }),
];

function threadFacts({ shards, service, sink }: StatusView): ThreadFacts {
  const threads = [
    ...shards,
    ...(service === undefined ? [] : [{ thread: 'service', ...service }]),
  ];
  return {
    stores: threads.map(({ thread, store }) => ({ thread, ...store })),
    sink,
    delays: threads.map(({ thread, figures }) => ({ thread, p99Ms: figures.eventLoopDelay.p99 })),
  };
}
