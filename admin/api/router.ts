import { AdminError } from '../errors.ts';
import { Answer } from './answer.ts';
import { authenticate, type FindCredential, nobody, type Principal } from './authenticate.ts';
import type { Backend } from './backend.ts';
import { refuseCrossSite } from './cross-site.ts';
import { entityTag, namesTag } from './http/entity-tag.ts';
import { guardHead } from './http/guard-head.ts';
import { IdempotencyStore } from './http/idempotency.ts';
import { RateGuard } from './http/rate-guard.ts';
import { problemResponse, type RequestName, respond, worded } from './http/respond.ts';
import { selectFields } from './http/select-fields.ts';
import {
  type CompiledRoute,
  checkValues,
  compileRoute,
  queryValues,
  readBody,
} from './http/validate.ts';
import { type EdgeRequest, type EdgeResponse, type RequestHead, StreamBody } from './http-edge.ts';
import { eventsPath, isWebSocket } from './live/request.ts';
import type { ApiMeter } from './metrics/api-meter.ts';
import { openApiDocument } from './openapi.ts';
import { type EnvoyFacts, permit, permitEnvoy, reachOf } from './policy-decision.ts';
import { type Problem, problemOf } from './problem.ts';
import { bodyBytesMax, type ReadApi, type Route, type SharedReading } from './route.ts';
import { type Found, RouteIndex } from './route-index.ts';
import { scopeKey, scopeOf } from './scope.ts';
import { SharedWork } from './shared-work.ts';
import { nameOf, newTraceparent, traceparentOf, withTrace } from './trace.ts';

const openApiPath = '/api/v1/openapi.json';
const json = 'application/json';
const binary = 'application/octet-stream';
const monotonic = { monotonicMs: () => performance.now() };
const reading = new Set(['GET', 'HEAD']);
const noBody = new Uint8Array();

/** How the router knows who asks. */
export interface Access {
  readonly find: FindCredential;
  nowMs(): number;
  /** A named token was used, for its "last used". */
  used(principal: Principal): void;
  /** A credential was not taken, for the audit log. */
  refused?(request: EdgeRequest): void;
}

/** Who asks for what, once that is known. */
interface Asked {
  readonly found: CompiledRoute;
  readonly values: Readonly<Record<string, string>>;
  readonly asker: Principal;
  readonly request: EdgeRequest;
  readonly name: RequestName;
}

/** Finds the route, checks who asks, validates, runs the handler and words the answer. */
export class Router {
  readonly #routes: readonly CompiledRoute[];
  readonly #index: RouteIndex;
  readonly #refuseUnknownPage: Route['refuse'];
  readonly #backend: Backend;
  readonly #access: Access;
  readonly #meter: ApiMeter | undefined;
  readonly #rates: RateGuard;
  readonly #idempotency: IdempotencyStore;
  readonly #work: SharedWork;
  readonly #document: string;

  /** `meter` counts what is answered. `pages` are for people, and no part of the API's document. */
  constructor(
    routes: readonly Route[],
    backend: Backend,
    access: Access,
    meter?: ApiMeter,
    pages: readonly Route[] = [],
    rates = new RateGuard(monotonic),
  ) {
    this.#routes = [...routes, ...pages].map(compileRoute);
    this.#index = new RouteIndex(this.#routes);
    this.#refuseUnknownPage = pages.find(({ refuse }) => refuse !== undefined)?.refuse;
    this.#backend = backend;
    this.#access = access;
    this.#meter = meter;
    this.#rates = rates;
    this.#idempotency = new IdempotencyStore(monotonic);
    this.#work = new SharedWork(() => backend.live.journal.newest, monotonic.monotonicMs);
    this.#document = JSON.stringify(openApiDocument(routes));
  }

  readonly handle = async (request: EdgeRequest): Promise<EdgeResponse> => {
    const ended = this.#meter?.begin(request.method);
    const sent = traceparentOf(request);
    const span = this.#backend.tracing?.requests.begin(request, sent);
    const traceparent = span?.traceparent ?? sent ?? newTraceparent();
    const name = nameOf(request, traceparent);
    const { response, code } = await this.#answer({ ...request, traceparent }, name);
    const route = this.#routePath(request);
    ended?.(route, response.status, code);
    span?.end(route, response.status, code);
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
      const name = nameOf(request);
      return problemResponse(problemOf(error, name.traceId), name);
    }
    return await this.handle(request);
  };

  async #answer(
    request: EdgeRequest,
    name: RequestName,
  ): Promise<{ response: EdgeResponse; code?: string }> {
    try {
      return { response: await this.#dispatch(request, name) };
    } catch (error) {
      const problem = problemOf(error, name.traceId);
      if (problem.status >= 500) this.#logFailure(request, error, name);
      if (problem.code === 'API_UNAUTHENTICATED') this.#refused(request);
      return { response: this.#refusal(request, problem, name), code: problem.code };
    }
  }

  #refused(request: EdgeRequest): void {
    this.#rates.refused(request.peerAddress);
    this.#access.refused?.(request);
  }

  #refusal(request: EdgeRequest, problem: Problem, name: RequestName): EdgeResponse {
    const route = this.#index.at(request.method, request.path)?.route;
    const isUnknownPage = route === undefined && isForPeople(request);
    const refuse = isUnknownPage ? this.#refuseUnknownPage : route?.refuse;
    if (refuse === undefined) return problemResponse(problem, name);
    return worded(refuse(problem, request), name);
  }

  /** What this asker may send: much only to a route that takes it, and with the right to use it. */
  readonly bodyBytesMax = (head: RequestHead): number => {
    try {
      const route = this.#find(head).found?.route;
      const most = route?.bodyBytesMax;
      if (route === undefined || most === undefined || route.access === 'public')
        return bodyBytesMax;
      permit(this.#asker(head), route.access, enoughFor(route));
      return most;
    } catch {
      return bodyBytesMax;
    }
  };

  async #dispatch(request: EdgeRequest, name: RequestName): Promise<EdgeResponse> {
    guardHead(request);
    this.#rates.arrived(request.peerAddress);
    const { found, values } = this.#find(request);
    const isPublic = found?.route.access === 'public';
    if (isPublic) refuseCrossSite(request, 'none');
    const asker = isPublic ? nobody : this.#asker(request);
    const rates = this.#rates.known(request, asker);
    const response = await this.#answered(request, name, asker, { found, values });
    return { ...response, headers: { ...rates, ...response.headers } };
  }

  async #answered(
    request: EdgeRequest,
    name: RequestName,
    asker: Principal,
    { found, values }: Found,
  ): Promise<EdgeResponse> {
    if (request.path === openApiPath && reading.has(request.method)) {
      return this.#readable(request, this.#document, name);
    }
    if (!found) throw this.#noRoute(request);
    const asked = { found, values, asker, request, name };
    const key = request.header('idempotency-key');
    const none = key === undefined || found.route.method === 'GET' || asker === nobody;
    if (none) return await this.#run(asked);
    const { access } = found.route;
    if (access !== 'public') permit(asker, access, enoughFor(found.route));
    // By credential: another one of the same person may be allowed less, or have ended.
    const holder = asker.tokenId ?? asker.sessionId ?? asker.by;
    return await this.#idempotency.once(holder, key, request, () => this.#run(asked));
  }

  async #run({ found, values, asker, request, name }: Asked): Promise<EdgeResponse> {
    const { route } = found;
    const context = this.#context(route, asker, request);
    const { fields, query } = queryOf(found, request);
    const parameters = checkValues(found.parameters, route.parameters, values, 'path');
    const given = {
      parameters: parameters as never,
      query: checkValues(found.query, route.query, query, 'query') as never,
      body: readBody(found, request) as never,
    };
    await this.#unchanged(found, values, asker, request);
    const reply = await this.#handled(route, { ...context, ...given });
    if (reply instanceof Answer) return worded(reply, name);
    const { cacheSeconds, mediaType } = route;
    const cache = cacheSeconds === undefined ? undefined : `public, max-age=${cacheSeconds}`;
    const headers: Record<string, string> = cache === undefined ? {} : { 'cache-control': cache };
    if (mediaType !== undefined || reply instanceof StreamBody) {
      const body = reply instanceof StreamBody ? reply : String(reply);
      return respond(200, { ...headers, 'content-type': mediaType ?? binary }, body, name);
    }
    const shown = fields === undefined ? reply : selectFields(reply, fields, found.fields);
    const body = JSON.stringify(shown ?? {});
    if (route.method === 'GET') return this.#readable(request, body, name, headers);
    return respond(200, { ...headers, 'content-type': json }, body, name);
  }

  /** Whoever changed something sees it, also when a part of it failed. */
  async #handled(route: Route, given: Parameters<Route['handle']>[0]): Promise<unknown> {
    try {
      return await route.handle(given);
    } finally {
      if (!reading.has(route.method)) this.#work.forget();
    }
  }

  /** An answer with an entity tag, or 304 when the asker has it already. */
  #readable(
    request: EdgeRequest,
    body: string,
    name: RequestName,
    headers: Readonly<Record<string, string>> = {},
  ): EdgeResponse {
    const etag = entityTag(body);
    const known = request.header('if-none-match');
    if (known !== undefined && namesTag(known, etag)) {
      return respond(304, { ...headers, etag }, '', name);
    }
    return respond(200, { ...headers, etag, 'content-type': json }, body, name);
  }

  /** Throws API_CHANGED_MEANWHILE when a write says what it read before, and that is no longer so. */
  async #unchanged(
    { route }: CompiledRoute,
    values: Readonly<Record<string, string>>,
    asker: Principal,
    request: EdgeRequest,
  ): Promise<void> {
    const wanted = request.header('if-match');
    if (wanted === undefined) return;
    if (route.changes === undefined) {
      throw new AdminError('API_BAD_REQUEST', 'this path takes no If-Match');
    }
    const path = route.changes.replaceAll(/\{(\w+)\}/g, (_whole, part: string) =>
      encodeURIComponent(values[part] ?? ''),
    );
    const now = await this.#reader(asker, request)(path);
    const etag = entityTag(JSON.stringify(now ?? {}));
    if (namesTag(wanted, etag)) return;
    throw new AdminError('API_CHANGED_MEANWHILE', `${path} has ${etag}`, { path, etag });
  }

  /** For pages: what they show comes from the API's own handlers, under the same decision. */
  #reader(asker: Principal, request: EdgeRequest): ReadApi {
    return async <T>(path: string, query = {}) => {
      const given = Object.entries(query).filter(([, value]) => value !== undefined);
      const { found, values } = this.#find({ method: 'GET', path });
      if (found === undefined) throw new AdminError('API_NO_ROUTE', path);
      const { route } = found;
      const reply = await route.handle({
        ...this.#context(route, asker, request),
        parameters: checkValues(found.parameters, route.parameters, values, 'path') as never,
        query: checkValues(found.query, route.query, Object.fromEntries(given), 'query') as never,
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
      backend: withTrace(this.#backend, request.traceparent),
      by: asker.by,
      asker,
      reach: reachOf(asker, permission),
      permitEnvoy: (envoy: EnvoyFacts) => permitEnvoy(asker, permission, envoy),
      read: this.#reader(asker, request),
      shared: this.#shared(asker, request),
      host: request.header('host'),
      header: (name: string) => request.header(name),
      peerAddress: request.peerAddress,
      recheck: () => this.#again(route, request),
    };
  }

  #shared(asker: Principal, { method, path, query, peerAddress }: EdgeRequest): SharedReading {
    const scope = scopeOf(asker);
    const nobodys = { method, path, query, peerAddress, header: () => undefined, body: noBody };
    return {
      asker: scope,
      read: this.#reader(scope, nobodys),
      once: (wanted, make) => this.#work.once(`${scopeKey(asker)} ${path}?${query}`, wanted, make),
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

  #find({ method, path }: Pick<RequestHead, 'method' | 'path'>): Found {
    return this.#index.find(method === 'HEAD' ? 'GET' : method, path);
  }

  /** A path that is no route is not told apart: strangers could make up any number of them. */
  #routePath({ method, path }: RequestHead): string {
    return this.#index.at(method, path)?.route.path ?? 'none';
  }

  #noRoute(request: EdgeRequest): AdminError {
    const elsewhere = this.#routes.filter(({ pattern }) => pattern.test(request.path));
    if (elsewhere.length === 0) return new AdminError('API_NO_ROUTE', request.path);
    const allow = elsewhere.map(({ route }) => route.method).join(', ');
    return new AdminError('API_METHOD_NOT_ALLOWED', `${request.path} takes ${allow}`, { allow });
  }

  #logFailure(request: EdgeRequest, error: unknown, name: RequestName): void {
    const cause = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const fields = { method: request.method, path: request.path, ...name, cause };
    this.#backend.log('error', 'REST request failed', fields);
  }
}

/** Somebody typed an address, or followed a link that leads nowhere. */
function isForPeople({ method, path, header }: RequestHead): boolean {
  return (
    method === 'GET' && !path.startsWith('/api/') && /\btext\/html\b/.test(header('accept') ?? '')
  );
}

function enoughFor(route: Route | undefined): 'everywhere' | 'somewhere' {
  return route?.envoys === 'named' ? 'somewhere' : 'everywhere';
}

/** `fields` is ours where the route's answer can be selected from, and does not stand in its schema. */
function queryOf(
  { fields: known, route }: CompiledRoute,
  request: EdgeRequest,
): { fields: string | undefined; query: Record<string, string> } {
  const { fields, ...query } = queryValues(request.query);
  const isOurs = known.length > 0 && !Object.hasOwn(route.query.properties, 'fields');
  if (isOurs || fields === undefined) return { fields, query };
  return { fields: undefined, query: { ...query, fields } };
}
