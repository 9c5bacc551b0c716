import t from 'tap';
import { compileRoute } from '../../../admin/api/http/validate.ts';
import { type Route, route } from '../../../admin/api/route.ts';
import { RouteIndex } from '../../../admin/api/route-index.ts';
import { routeTable } from '../../../admin/api/route-table.ts';
import { nothing } from '../../../admin/api/schemas.ts';
import { pageTable } from '../../../admin/web/page-table.ts';

t.test('a request reaches the route that stands first in the table', (t) => {
  const compiled = [...routeTable, ...pageTable].map(compileRoute);
  const index = new RouteIndex(compiled);
  for (const { route } of compiled) {
    const path = route.path.replaceAll(/\{\w+\}/g, 'x');
    const first = compiled.find(
      (one) => one.route.method === route.method && one.pattern.test(path),
    );
    t.equal(index.at(route.method, path), first, `${route.method} ${path}`);
  }
  t.equal(index.at('GET', '/api/v1/nothing'), undefined);
  t.same(index.find('GET', '/api/v1/nothing'), { values: {} });
  t.end();
});

t.test('a path with parameters that stands before keeps what it did', (t) => {
  const at = (path: string): Route =>
    route({
      ...{ method: 'GET', path, summary: path, access: 'public', body: undefined },
      ...{ parameters: nothing, query: nothing, handle: async () => path },
    });
  const index = new RouteIndex(['/a/{id}', '/a/b', '/c/d', '/c/{id}'].map(at).map(compileRoute));
  const found = (path: string) => index.find('GET', path);
  t.match(found('/a/b'), { found: { route: { path: '/a/{id}' } }, values: { id: 'b' } });
  t.match(found('/c/d'), { found: { route: { path: '/c/d' } }, values: {} });
  t.match(found('/c/e%20f'), { found: { route: { path: '/c/{id}' } }, values: { id: 'e f' } });
  t.throws(() => found('/c/e%2Ff'), { code: 'API_BAD_REQUEST' }, 'a hidden slash is refused');
  t.end();
});
