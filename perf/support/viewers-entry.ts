/** The server side of perf/viewers.ts: the real edge, router and hub, fed as the sink would. */
import { fakeBackend } from '../../test/admin/api/fake-backend.ts';
import { openApi } from '../../test/admin/api/support/open-api.ts';

const eventsPerSecond = Number(process.argv[2]);
/** The sink writes a batch so often under load. */
const batchesPerSecond = 10;

const backend = fakeBackend();
const ends: (() => Promise<void>)[] = [];
const api = await openApi({ teardown: (run) => ends.push(run) }, backend);
api.allow('vgot_watch', 'viewer');
let number = 0;
const feed = setInterval(() => {
  number += 1;
  const events = Array.from({ length: eventsPerSecond / batchesPerSecond }, (_, at) => ({
    type: 'envoy.state',
    atMs: Date.now(),
    envoyId: `6f1f5b0e-0000-4000-8000-${String(at).padStart(12, '0')}`,
    data: { hostname: `web-${at}.example.com`, from: 'converged', to: 'failed', policyVersion: 7 },
  }));
  backend.live.take({ source: 'perf', number, events });
}, 1_000 / batchesPerSecond);
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.((user + system) / 1_000);
});
process.once('disconnect', () => {
  clearInterval(feed);
  void Promise.all(ends.map((end) => end())).then(() => process.exit());
});
process.send?.({ port: api.port, ca: api.ca });
