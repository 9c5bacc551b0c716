/** What is lost when this fails: somebody on the way to the provider decides who logs in here. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { providerFetch } from '../../../admin/api/login/oidc/https-fetch.ts';
import { testAuthority } from '../../support/test-authority.ts';

const ours = await testAuthority();
const others = await testAuthority();
const answers: Record<string, (response: ServerResponse, request: IncomingMessage) => void> = {
  '/json': (response, request) => {
    const body = { said: request.headers['x-said'], method: request.method };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  },
  '/moved': (response) => response.writeHead(302, { location: 'https://evil.example/' }).end(),
  '/endless': (response) => {
    const more = () => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536)));
    };
    response.on('drain', more).writeHead(200);
    more();
  },
  '/silent': () => undefined,
};
const server = createServer(
  { cert: ours.serverCertificate, key: ours.serverKey },
  (request, response) => {
    response.on('error', () => undefined);
    answers[request.url ?? '']?.(response, request);
  },
);
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
t.teardown(() => {
  server.close();
  server.closeAllConnections();
});
const at = (path: string) => `https://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
const trusting = providerFetch(ours.authority.certificatePem);
const get = { method: 'GET', headers: { 'x-said': 'hello' } };

t.test('the authority of server.yaml is believed, and no other', async (t) => {
  const answer = await trusting(at('/json'), get);
  t.equal(answer.headers.get('content-type'), 'application/json');
  t.same(await answer.json(), { said: 'hello', method: 'GET' });
  const posted = await trusting(at('/json'), { ...get, method: 'POST', body: 'a=b' });
  t.match(await posted.json(), { method: 'POST' });
  await t.rejects(providerFetch(others.authority.certificatePem)(at('/json'), get), /certificate/);
  await t.rejects(providerFetch(undefined)(at('/json'), get), /certificate/);
});

t.test('nobody sends it elsewhere, floods it or holds it up', async (t) => {
  const moved = await trusting(at('/moved'), get);
  t.equal(moved.status, 302, 'it goes nowhere by itself');
  await t.rejects(trusting(at('/endless'), get), /too large/);
  const ended = new AbortController();
  const waiting = trusting(at('/silent'), { ...get, signal: ended.signal });
  ended.abort();
  await t.rejects(waiting, { name: 'AbortError' });
});
