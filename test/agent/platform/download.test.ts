import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { download } from '../../../agent/platform/download.ts';

/** What the server at the other end does with a request. */
const behaviours: Readonly<Record<string, (response: ServerResponse) => void>> = {
  '/good': (response) => response.end('content'),
  '/silent': () => undefined,
  '/stops': (response) => {
    response.writeHead(200, { 'content-length': 100 });
    response.write('some');
  },
  '/cut': (response) => {
    response.writeHead(200, { 'content-length': 100 });
    response.write('some', () => response.destroy());
  },
  '/endless': (response) => {
    const more = () => {
      while (!response.destroyed && response.write(Buffer.alloc(64 * 1024)));
    };
    response.on('drain', more);
    more();
  },
  '/circle': (response) => response.writeHead(302, { location: '/circle' }).end(),
  '/missing': (response) => response.writeHead(404).end('nothing here'),
};

t.test('a download that hangs, ends early, never ends or goes in circles fails', async (t) => {
  const server = createServer((request, response) => {
    behaviours[new URL(request.url!, 'http://x').pathname]!(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const get = (path: string, timeoutMs = 60_000) =>
    download(`http://127.0.0.1:${port}${path}?token=hidden`, { limit: 1_000_000, timeoutMs });
  t.equal(new TextDecoder().decode(await get('/good')), 'content');
  for (const [path, cause] of [
    ['/silent', /TimeoutError/],
    ['/stops', /TimeoutError/],
    ['/cut', /: \S+/],
    ['/endless', /more than 1000000 bytes/],
    ['/circle', /: \S+/],
    ['/missing', /: 404/],
  ] as const) {
    const waits = path === '/silent' || path === '/stops';
    const failure = await get(path, waits ? 300 : undefined).then(
      () => undefined,
      (error: unknown) => error as { code: string; message: string; outcome: string },
    );
    t.match(failure, { code: 'AGENT_DOWNLOAD_FAILED', outcome: 'blocked', message: cause }, path);
    t.notMatch(failure?.message, 'hidden', 'the query may be secret');
  }
});

t.test('an end of the pass ends a download', async (t) => {
  const stop = AbortSignal.abort();
  const options = { limit: 10, timeoutMs: 60_000, signal: stop };
  await t.rejects(download('http://127.0.0.1:9/', options), { code: 'AGENT_DOWNLOAD_FAILED' });
});
