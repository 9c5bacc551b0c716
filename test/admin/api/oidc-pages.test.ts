/** What is lost when this fails: somebody stands before raw JSON, or is sent in circles without a word. */
import t from 'tap';
import { Router } from '../../../admin/api/router.ts';
import { keyLoginRoutes } from '../../../admin/api/routes/key-login.ts';
import { oidcLoginRoutes } from '../../../admin/api/routes/oidc-login.ts';
import { fakeBackend } from './fake-backend.ts';

const backend = fakeBackend();
const router = new Router([...oidcLoginRoutes, ...keyLoginRoutes], backend, {
  find: () => undefined,
  nowMs: () => 1,
  used: () => undefined,
});
const get = async (path: string, accept: string) => {
  const [only = '', query = ''] = path.split('?');
  const { status, headers, body } = await router.handle({
    method: 'GET',
    path: only,
    query,
    header: (name) => (name === 'accept' ? accept : undefined),
    body: new Uint8Array(),
    peerAddress: '127.0.0.1',
  });
  return { status, headers, text: String(body) };
};

t.test('a refused login is a page for people and a problem for programs', async (t) => {
  const paths = [
    '/api/v1/login/oidc',
    '/api/v1/login/oidc/callback?code=x&state=y&session_state=z',
  ];
  for (const path of paths) {
    const page = await get(path, 'text/html,application/xhtml+xml');
    t.match(page, { status: 404, headers: { 'content-type': /^text\/html/ }, text: /OIDC_OFF/ });
    t.match(String(page.headers['content-security-policy']), /default-src 'none'/);
    const problem = await get(path, 'application/json');
    t.match(problem, { status: 404, headers: { 'content-type': 'application/problem+json' } });
    t.equal((JSON.parse(problem.text) as { code: string }).code, 'OIDC_OFF');
  }
  t.same(JSON.parse((await get('/api/v1/login/methods', '')).text), {
    password: true,
    key: true,
    oidc: null,
    oidcUrl: null,
  });
});
