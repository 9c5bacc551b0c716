import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import {
  checkUrls,
  parallelUrls,
  rememberingProbe,
  type UrlCheck,
  urlAnswerAgeMs,
  urlLimit,
  urlsTimeMs,
} from '../../../actors/publish/stack/check-urls.ts';
import { Diagnostics } from '../../../actors/publish/stack/diagnostics.ts';
import { nodeUrlProbe } from '../../../runtime/ports/node-url-probe.ts';
import type { UrlAnswer } from '../../../runtime/ports/url-probe.ts';

const seen: string[] = [];

async function webServer(): Promise<Server> {
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    const get = request.method === 'GET';
    const answers: Record<string, () => void> = {
      '/ok': () => response.end(),
      '/no-head': () => response.writeHead(get ? 206 : 405).end(get ? 'x' : ''),
      '/private': () => response.writeHead(403).end(),
      '/moved': () => response.writeHead(302, { location: '/ok' }).end(),
      '/circle': () => response.writeHead(302, { location: '/circle' }).end(),
      '/file': () => response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
      '/meta': () => response.writeHead(302, { location: 'http://169.254.169.254/' }).end(),
      '/broken': () => response.writeHead(500).end(),
      '/endless': () => {
        response.writeHead(200);
        response.flushHeaders();
        setInterval(() => response.write('x'.repeat(1000)), 1).unref();
      },
      '/silent': () => undefined,
    };
    (answers[request.url ?? ''] ?? (() => response.writeHead(404).end()))();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

t.test('a URL counts as alive when a node could fetch it, and every other says why', async (t) => {
  const server = await webServer();
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const probe = nodeUrlProbe({ requestTimeoutMs: 300, urlTimeoutMs: 2000 });
  for (const path of ['/ok', '/no-head', '/private', '/moved', '/endless']) {
    t.same(await probe.ask(base + path), { alive: true }, path);
  }
  const dead: Record<string, string> = {
    '/nothing': '404 Not Found',
    '/broken': '500 Internal Server Error',
    '/circle': 'more than 5 redirects',
    '/file': 'file: is neither http nor https',
    '/meta': 'link-local addresses are not asked',
    '/silent': 'no answer in time',
  };
  for (const [path, reason] of Object.entries(dead)) {
    t.same(await probe.ask(base + path), { alive: false, reason }, path);
  }
  t.match(await probe.ask('http://127.0.0.1:1/'), { reason: 'the connection was refused' });
  t.match(await probe.ask('http://[fe80::1]/'), { alive: false });
  t.match(await probe.ask('nonsense'), { alive: false });
  t.ok(seen.includes('HEAD /ok') && !seen.includes('GET /ok'), 'nothing is fetched needlessly');
});

const use = (url: string, offset: number) => ({ url, place: { file: 'a.vgo', offset } });

t.test('each URL is asked once, a few at a time, and reported wherever it stands', async (t) => {
  let open = 0;
  let most = 0;
  const asked: string[] = [];
  const ask = async (url: string): Promise<UrlAnswer> => {
    asked.push(url);
    open += 1;
    most = Math.max(most, open);
    await new Promise((resolve) => setImmediate(resolve));
    open -= 1;
    return url.endsWith('7') ? { alive: false, reason: 'gone' } : { alive: true };
  };
  const diagnostics = new Diagnostics();
  const uses = Array.from({ length: urlLimit + 10 }, (_, index) =>
    use(`https://x/${index}`, index),
  );
  uses.push(use('https://x/7', 9000), use('ftp://x/7', 9001), use('/local/7', 9002));
  const clock = { monotonicMs: () => 0 } as UrlCheck['clock'];
  await checkUrls(uses, { probe: { ask }, clock }, diagnostics);
  t.equal(asked.length, urlLimit);
  t.equal(most, parallelUrls);
  const places = diagnostics
    .all()
    .filter(({ finding }) => finding.message === 'https://x/7 does not answer: gone')
    .map(({ place }) => place.offset);
  t.same(places, [7, 9000]);
  t.match(
    diagnostics.all().find(({ finding }) => finding.code === 'PUBLISH_LIMIT'),
    { place: { offset: urlLimit }, finding: { severity: 'warning' } },
  );
});

t.test('a good answer is remembered for a while, a bad one is not', async (t) => {
  let now = 0;
  let alive = false;
  let asked = 0;
  const clock = { monotonicMs: () => now } as Parameters<typeof rememberingProbe>[1];
  const ask = async (): Promise<UrlAnswer> => {
    asked += 1;
    return alive ? { alive } : { alive: false, reason: 'gone' };
  };
  const probe = rememberingProbe({ ask }, clock);
  t.same(await probe.ask('https://x/'), { alive: false, reason: 'gone' });
  alive = true;
  t.same(await probe.ask('https://x/'), { alive: true });
  alive = false;
  t.same(await probe.ask('https://x/'), { alive: true });
  t.equal(asked, 2);
  now = urlAnswerAgeMs;
  t.match(await probe.ask('https://x/'), { alive: false });
});

t.test('URLs that take for ever do not keep a publish waiting', async (t) => {
  let now = 0;
  let asked = 0;
  const clock = { monotonicMs: () => now } as UrlCheck['clock'];
  const ask = async (): Promise<UrlAnswer> => {
    asked += 1;
    now += urlsTimeMs;
    return { alive: true };
  };
  const diagnostics = new Diagnostics();
  const uses = Array.from({ length: 50 }, (_, index) => use(`https://x/${index}`, index));
  await checkUrls(uses, { probe: { ask }, clock }, diagnostics);
  t.ok(asked <= 2);
  t.match(diagnostics.all(), [{ finding: { code: 'PUBLISH_LIMIT', severity: 'warning' } }]);
});
