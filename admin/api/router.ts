import type { TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import { Convert } from 'typebox/value';
import { AdminError } from '../errors.ts';
import { Answer } from './answer.ts';
import { authenticate, type FindCredential, nobody, type Principal } from './authenticate.ts';
import type { Backend } from './backend.ts';
import { refuseCrossSite } from './cross-site.ts';
import { type EdgeRequest, type EdgeResponse, type RequestHead, StreamBody } from './http-edge.ts';
import { eventsPath, isWebSocket } from './live/request.ts';
import type { ApiMeter } from './metrics/api-meter.ts';
import { openApiDocument } from './openapi.ts';
import { type EnvoyFacts, permit, permitEnvoy, reachOf } from './policy-decision.ts';
import { type Problem, problemOf } from './problem.ts';
import { bodyBytesMax, type ReadApi, type Route } from './route.ts';
import { newTraceId, traceIdOf } from './trace.ts';

const openApiPath = '/api/v1/openapi.json';
const fieldErrorsMax = 20;

interface CompiledRoute {
  readonly route: Route;
  readonly pattern: RegExp;
  readonly names: readonly string[];
  readonly parameters: Validator;
  readonly query: Validator;
  readonly body: Validator | undefined;
}

interface Reply {
  readonly body: string | StreamBody;
  readonly cacheSeconds?: number | undefined;
  readonly mediaType?: string | undefined;
}

const securityHeaders = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'strict-transport-security': 'max-age=31536000',
  'x-content-type-options': 'nosniff',
};

/** How the router knows who asks. */
export interface Access {
  readonly find: FindCredential;
  nowMs(): number;
  /** A named token was used, for its "last used". */
  used(principal: Principal): void;
}

/** Finds the route, checks who asks, validates, runs the handler and words the answer. */
export class Router {
  readonly #routes: readonly CompiledRoute[];
  readonly #backend: Backend;
  readonly #access: Access;
  readonly #meter: ApiMeter | undefined;
  readonly #document: string;

  /** `meter` counts what is answered. `pages` are for people, and no part of the API's document. */
  constructor(
    routes: readonly Route[],
    backend: Backend,
    access: Access,
    meter?: ApiMeter,
    pages: readonly Route[] = [],
  ) {
    this.#routes = [...routes, ...pages].map(compile);
    this.#backend = backend;
    this.#access = access;
    this.#meter = meter;
    this.#document = JSON.stringify(openApiDocument(routes));
  }

  readonly handle = async (request: EdgeRequest): Promise<EdgeResponse> => {
    const traceId = traceIdOf(request.header('traceparent')) ?? newTraceId();
    const ended = this.#meter?.begin(request.method);
    const { response, code } = await this.#answer(request, traceId);
    ended?.(this.#routePath(request), response.status, code);
    return response;
  };

  /** Only the stream of events becomes a WebSocket, and for no page of another site. */
  readonly handleUpgrade = async (request: EdgeRequest): Promise<EdgeResponse> => {
    try {
      if (!isWebSocket(request) || request.path !== eventsPath) {
        throw new AdminError('EVENTS_NO_WEBSOCKET');
      }
      const hasToken = request.header('authorization') !== undefined;
      const isPage = !hasToken && request.header('cookie') !== undefined;
      refuseCrossSite(request, isPage ? 'cookie' : 'none', true);
    } catch (error) {
      const traceId = newTraceId();
      return problemResponse(problemOf(error, traceId), traceId);
    }
    return await this.handle(request);
  };

  async #answer(
    request: EdgeRequest,
    traceId: string,
  ): Promise<{ response: EdgeResponse; code?: string }> {
    try {
      const dispatched = await this.#dispatch(request);
      if (dispatched instanceof Answer) return { response: worded(dispatched, traceId) };
      const { body, cacheSeconds, mediaType = 'application/json' } = dispatched;
      const reply = answer(200, mediaType, body, traceId);
      if (cacheSeconds === undefined) return { response: reply };
      const cache = { 'cache-control': `public, max-age=${cacheSeconds}` };
      return { response: { ...reply, headers: { ...reply.headers, ...cache } } };
    } catch (error) {
      const problem = problemOf(error, traceId);
      if (problem.status >= 500) this.#logFailure(request, error, traceId);
      return { response: this.#refusal(request, problem, traceId), code: problem.code };
    }
  }

  #refusal(request: EdgeRequest, problem: Problem, traceId: string): EdgeResponse {
    const refuse = this.#routes.find(
      ({ route, pattern }) => route.method === request.method && pattern.test(request.path),
    )?.route.refuse;
    if (refuse === undefined) return problemResponse(problem, traceId);
    return worded(refuse(problem, request), traceId);
  }

  /** What this asker may send: much only to a route that takes it, and with the right to use it. */
  readonly bodyBytesMax = (head: RequestHead): number => {
    const { found } = this.#find(head);
    const most = found?.route.bodyBytesMax;
    if (most === undefined || found?.route.access === 'public') return bodyBytesMax;
    try {
      permit(this.#asker(head), found?.route.access ?? 'access.manage', enoughFor(found?.route));
      return most;
    } catch {
      return bodyBytesMax;
    }
  };

  async #dispatch(request: EdgeRequest): Promise<Reply | Answer> {
    const { found, values } = this.#find(request);
    const isPublic = found?.route.access === 'public';
    if (isPublic) refuseCrossSite(request, 'none');
    const asker = isPublic ? nobody : this.#asker(request);
    if (request.path === openApiPath && request.method === 'GET') {
      return { body: this.#document };
    }
    if (!found) throw this.#noRoute(request);
    const reply = await found.route.handle({
      ...this.#context(found.route, asker, request),
      parameters: check(found.parameters, found.route.parameters, values, 'path') as never,
      query: check(found.query, found.route.query, queryValues(request.query), 'query') as never,
      body: readJson(found, request) as never,
    });
    if (reply instanceof Answer) return reply;
    const { cacheSeconds, mediaType } = found.route;
    if (reply instanceof StreamBody) return { body: reply, mediaType };
    const body = mediaType === undefined ? JSON.stringify(reply ?? {}) : String(reply);
    return { body, cacheSeconds, mediaType };
  }

  /** For pages: what they show comes from the API's own handlers, under the same decision. */
  #reader(asker: Principal, request: EdgeRequest): ReadApi {
    return async <T>(path: string, query = {}) => {
      const given = Object.entries(query).filter(([, value]) => value !== undefined);
      const { found, values } = this.#find({ ...request, method: 'GET', path });
      if (found === undefined) throw new AdminError('API_NO_ROUTE', path);
      const { route } = found;
      const reply = await route.handle({
        ...this.#context(route, asker, request),
        parameters: check(found.parameters, route.parameters, values, 'path') as never,
        query: check(found.query, route.query, Object.fromEntries(given), 'query') as never,
        body: undefined as never,
      });
      return reply as T;
    };
  }

  /** What a handler gets beside its values; throws API_FORBIDDEN when the asker lacks the permission. */
  #context(route: Route, asker: Principal, request: EdgeRequest) {
    const { access } = route;
    const permission = access === 'public' ? 'access.self' : access;
    if (access !== 'public') permit(asker, access, enoughFor(route));
    return {
      backend: this.#backend,
      by: asker.by,
      asker,
      reach: reachOf(asker, permission),
      permitEnvoy: (envoy: EnvoyFacts) => permitEnvoy(asker, permission, envoy),
      read: this.#reader(asker, request),
      host: request.header('host'),
      header: (name: string) => request.header(name),
      peerAddress: request.peerAddress,
      recheck: () => this.#again(route, request),
    };
  }

  /** Who asks now, for what has been going on for a while; this is no use of the token. */
  #again(route: Route, request: RequestHead): Principal {
    const { find, nowMs } = this.#access;
    const asker = authenticate(request, find, nowMs());
    if (route.access !== 'public') permit(asker, route.access, enoughFor(route));
    return asker;
  }

  #asker(request: RequestHead): Principal {
    const { find, nowMs, used } = this.#access;
    const asker = authenticate(request, find, nowMs());
    used(asker);
    return asker;
  }

  #find(request: RequestHead): { found?: CompiledRoute; values: Record<string, string> } {
    for (const compiled of this.#routes) {
      if (compiled.route.method !== request.method) continue;
      const match = compiled.pattern.exec(request.path);
      if (!match) continue;
      const pairs = compiled.names.map((name, at) => [name, decode(match[at + 1] ?? '')]);
      return { found: compiled, values: Object.fromEntries(pairs) };
    }
    return { values: {} };
  }

  /** A path that is no route is not told apart: strangers could make up any number of them. */
  #routePath(head: RequestHead): string {
    const known = this.#routes.find(
      ({ route, pattern }) => route.method === head.method && pattern.test(head.path),
    );
    return known?.route.path ?? 'none';
  }

  #noRoute(request: EdgeRequest): AdminError {
    const elsewhere = this.#routes.filter(({ pattern }) => pattern.test(request.path));
    if (elsewhere.length === 0) return new AdminError('API_NO_ROUTE', request.path);
    const allow = elsewhere.map(({ route }) => route.method).join(', ');
    return new AdminError('API_METHOD_NOT_ALLOWED', `${request.path} takes ${allow}`, { allow });
  }

  #logFailure(request: EdgeRequest, error: unknown, traceId: string): void {
    const cause = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const fields = { method: request.method, path: request.path, traceId, cause };
    this.#backend.log('error', 'REST request failed', fields);
  }
}

function enoughFor(route: Route | undefined): 'everywhere' | 'somewhere' {
  return route?.envoys === 'named' ? 'somewhere' : 'everywhere';
}

function compile(route: Route): CompiledRoute {
  const names = [...route.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '');
  const source = route.path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '([^/]+)');
  return {
    route,
    names,
    pattern: new RegExp(`^${source}$`),
    parameters: Compile(route.parameters),
    query: Compile(route.query),
    body: route.body && Compile(route.body),
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new AdminError('API_BAD_REQUEST', `the path has a broken escape: ${text}`);
  }
}

function queryValues(query: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(query));
}

function readJson(compiled: CompiledRoute, request: EdgeRequest): unknown {
  if (!compiled.body || !compiled.route.body) return undefined;
  if (request.body.length === 0) return check(compiled.body, compiled.route.body, {}, 'body');
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(request.body));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AdminError('API_BAD_REQUEST', `the body is not JSON: ${reason}`);
  }
  if (compiled.body.Check(value)) return value;
  throw misfit(compiled.body, value, 'body');
}

/** Text from the path and the query becomes the number or boolean that the schema asks for. */
function check(validator: Validator, schema: TSchema, values: unknown, where: string): unknown {
  const converted = Convert(schema, values);
  if (validator.Check(converted)) return converted;
  throw misfit(validator, converted, where);
}

function misfit(validator: Validator, value: unknown, where: string): AdminError {
  const errors = [...validator.Errors(value)].slice(0, fieldErrorsMax);
  const fields = errors
    .filter((error) => error.keyword !== 'boolean')
    .map((error) => ({
      field: `${where}${error.instancePath}`,
      problem: fieldProblem(error),
    }));
  const [first] = fields;
  return new AdminError('API_BAD_REQUEST', first && `${first.field} ${first.problem}`, { fields });
}

function fieldProblem({ params, message }: { params: object; message: string }): string {
  const words = (names: unknown) => (names as unknown[]).join(', ');
  if ('additionalProperties' in params) {
    return `has unknown fields: ${words(params.additionalProperties)}`;
  }
  return 'allowedValues' in params ? `must be one of ${words(params.allowedValues)}` : message;
}

function worded({ status, headers, body }: Answer, traceId: string): EdgeResponse {
  return { status, headers: { ...securityHeaders, ...headers, 'x-trace-id': traceId }, body };
}

function answer(
  status: number,
  type: string,
  body: EdgeResponse['body'],
  traceId: string,
): EdgeResponse {
  return {
    status,
    headers: { ...securityHeaders, 'content-type': type, 'x-trace-id': traceId },
    body,
  };
}

export function problemResponse(problem: Problem, traceId: string): EdgeResponse {
  const response = answer(
    problem.status,
    'application/problem+json',
    JSON.stringify(problem),
    traceId,
  );
  const extra: Record<string, string> = {};
  if (problem.status === 401) extra['www-authenticate'] = 'Bearer';
  if (problem.status === 503) extra['retry-after'] = '1';
  if (problem.status === 405) extra.allow = (problem.details as { allow: string }).allow;
  return { ...response, headers: { ...response.headers, ...extra } };
}
