import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import t from 'tap';
import { docsRoutes } from '../../../admin/web/docs/docs-pages.ts';
import { fakeBackend } from '../api/fake-backend.ts';
import { openApi } from '../api/support/open-api.ts';

const api = await openApi(t, fakeBackend(), {}, docsRoutes);
const viewer = api.allow('vgot_viewer', 'viewer');

t.test('the description of the API is for people who are logged in', async (t) => {
  for (const path of ['/docs', '/redoc']) {
    const stranger = await api.call('GET', path);
    t.same([stranger.status, stranger.headers.location], [303, `/login?next=%2F${path.slice(1)}`]);
  }
  t.equal((await api.call('GET', '/api/v1/openapi.json')).status, 401);
});

t.test('both pages load only from us, under the policy that forbids inline scripts', async (t) => {
  for (const path of ['/docs', '/redoc']) {
    const page = await api.call('GET', path, viewer);
    t.equal(page.status, 200);
    const policy = String(page.headers['content-security-policy']);
    t.match(policy, /default-src 'none'.*script-src 'self'.*style-src 'self'/);
    t.notMatch(policy, /unsafe/);
    t.notMatch(page.text, /<script(?![^>]* src=)|<style|style="|\son\w+="/, 'nothing is inline');
    const addresses = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url = '']) => url);
    t.same(
      addresses.filter((url) => !url.startsWith('/')),
      [],
      'nothing of another origin',
    );
    for (const url of addresses.filter((each) => each.startsWith('/docs/assets/'))) {
      const asset = await api.call('GET', url);
      t.equal(asset.status, 200, url);
      t.notMatch(asset.text, /cdn\.redoc\.ly/, 'no picture of others');
      t.match(asset.headers['cache-control'], /immutable/);
      const again = await api.call('GET', url, { 'if-none-match': String(asset.headers.etag) });
      t.same([again.status, again.text], [304, '']);
    }
  }
});

t.test('assets are compressed as the browser takes them', async (t) => {
  const page = await api.call('GET', '/docs', viewer);
  const url = /\/docs\/assets\/swagger-ui\.[\w-]+\.css/.exec(page.text)?.[0] ?? '';
  const sizes: Record<string, number> = {};
  for (const encoding of ['identity', 'gzip', 'br']) {
    const message = await api.start('GET', url, { 'accept-encoding': encoding });
    const chunks: Buffer[] = [];
    for await (const chunk of message) chunks.push(chunk as Buffer);
    const raw = Buffer.concat(chunks);
    sizes[encoding] = raw.length;
    const given = message.headers['content-encoding'] ?? 'identity';
    t.equal(given, encoding);
    const unpack = {
      identity: (bytes: Buffer) => bytes,
      gzip: gunzipSync,
      br: brotliDecompressSync,
    };
    const bytes = unpack[encoding as keyof typeof unpack](raw);
    t.equal(bytes.length, sizes.identity);
  }
  t.ok((sizes.br ?? 0) < (sizes.gzip ?? 0) && (sizes.gzip ?? 0) < (sizes.identity ?? 0) / 4);
  for (const wrong of [
    '/docs/assets/passwd',
    url.replace('.css', 'x.css'),
    '/docs/assets/%2e%2e',
  ]) {
    t.ok((await api.call('GET', wrong)).status >= 400, wrong);
  }
});

t.test('the copied ReDoc is the one of its package', (t) => {
  const file = new URL('../../../admin/web/assets/vendor/redoc.standalone.js', import.meta.url);
  const hash = createHash('sha256').update(readFileSync(file)).digest('hex');
  t.equal(
    hash,
    'dcaf76612bc4a3fbcc923a8966dee2f6146a5f32e5ce1b6f02dd60cbbf89500b',
    'of redoc 2.5.4',
  );
  t.end();
});
