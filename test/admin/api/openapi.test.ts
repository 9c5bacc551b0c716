import { readFileSync } from 'node:fs';
import { Validator } from '@seriousme/openapi-schema-validator';
import t from 'tap';
import { answerSchema } from '../../../admin/api/answers.ts';
import { openApiDocument } from '../../../admin/api/openapi.ts';
import { routeTable } from '../../../admin/api/route-table.ts';
import { answerSchemas, answersFile } from '../../tools/answer-schemas.ts';

type Operation = {
  readonly operationId: string;
  readonly summary: string;
  readonly security: readonly unknown[];
  readonly parameters: readonly { readonly name?: string; readonly $ref?: string }[];
  readonly responses: Readonly<Record<string, { readonly $ref?: string }>>;
};
const text = JSON.stringify(openApiDocument(routeTable));
const document = JSON.parse(text) as {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: Record<string, Record<string, unknown>>;
};

t.test('the document is valid OpenAPI 3.1, by a validator of others', async (t) => {
  const validator = new Validator();
  const result = await validator.validate(JSON.parse(text) as Record<string, unknown>);
  t.same(result.errors, undefined);
  t.ok(result.valid);
  t.equal(validator.version, '3.1');
});

t.test('every reference in it leads somewhere', (t) => {
  for (const [reference, kind = '', name = ''] of text.matchAll(/#\/components\/(\w+)\/(\w+)/g)) {
    if (document.components[kind]?.[name] === undefined) t.fail(`${reference} leads nowhere`);
  }
  t.end();
});

t.test('it has every route, with what goes in, what comes out and what is refused', (t) => {
  const ids = new Set<string>();
  for (const route of routeTable) {
    const name = `${route.method} ${route.path}`;
    const operation = document.paths[route.path]?.[route.method.toLowerCase()];
    t.ok(operation, name);
    if (operation === undefined) continue;
    ids.add(operation.operationId);
    t.equal(operation.security.length === 0, route.access === 'public', `${name}: security`);
    t.ok(operation.responses['400'] && operation.responses['429'], `${name}: refusals`);
    if (route.access !== 'public') t.ok(operation.responses['401'] && operation.responses['403']);
  }
  t.equal(ids.size, routeTable.length, 'each operation has a name of its own');
  t.end();
});

t.test('what each route answers with is known', (t) => {
  const isJson = routeTable.filter(({ mediaType, redirects }) => !mediaType && !redirects);
  const unknown = isJson.filter((route) => answerSchema(route) === undefined);
  const names = unknown.map(({ method, path }) => `${method} ${path}`);
  t.same(names, [], 'give the route an `answer`, or run node test/tools/answer-schemas.ts');
  t.end();
});

t.test('the schemas of answers are those of the types of now', (t) => {
  const kept = readFileSync(answersFile, 'utf8').split('\n');
  const made = answerSchemas().split('\n');
  const missing = made.filter((line) => !kept.includes(line));
  t.same(missing, [], 'run node test/tools/answer-schemas.ts and commit what it writes');
  t.equal(made.length, kept.length);
  t.end();
});
