import type { Static, TObject, TSchema } from 'typebox';
import type { Answer } from './answer.ts';
import type { Principal } from './authenticate.ts';
import type { Backend } from './backend.ts';
import type { RequestHead } from './http-edge.ts';
import type { Permission } from './permissions.ts';
import type { EnvoyFacts, Reach } from './policy-decision.ts';
import type { Problem } from './problem.ts';
import type { Freshness } from './shared-work.ts';

/** Bytes of a body; more only where a route says so. */
export const bodyBytesMax = 1024 * 1024;

/**
 * Reads from another GET route for the same asker: its permission is checked, its schemas validate,
 * its handler answers. Throws what that route would refuse with.
 */
export type ReadApi = <T>(
  path: string,
  query?: Readonly<Record<string, string | number | undefined>>,
) => Promise<T>;

/**
 * For answers that are the same for all who may see the same: made by nobody in particular, once for
 * many. What it reads is decided as for the asker.
 */
export interface SharedReading {
  /** The asker's rights, without a name; see `scopeOf`. */
  readonly asker: Principal;
  readonly read: ReadApi;
  /**
   * Resolves with what `make` made for this request, or lately for one with the same path, query and
   * rights. `position`: the newest live event when it began.
   */
  once<T>(wanted: Freshness, make: (position: number) => Promise<T>): Promise<T>;
}

/**
 * One operation of the REST API. The schemas validate what comes in, give the handler its types and
 * become the OpenAPI document, so that the three cannot disagree.
 */
export interface Route<
  Parameters extends TObject = TObject,
  Query extends TObject = TObject,
  Body extends TSchema = TSchema,
> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** With parameters in braces: "/api/v1/runs/{id}". */
  readonly path: string;
  readonly summary: string;
  /** What the asker must be allowed to do (permissions.ts); 'public' needs no token. */
  readonly access: 'public' | Permission;
  /**
   * 'named': it concerns envoys that the request names or that the answer lists, so a grant over some
   * envoys is enough to get here, and the handler calls `permitEnvoy` for each, or lists only what
   * `reach` covers. Absent: only who has the permission everywhere gets here.
   */
  readonly envoys?: 'named';
  /** Seconds for which anybody may keep the answer; absent: it must not be kept. */
  readonly cacheSeconds?: number;
  /** Of an answer that is text and goes out as the handler gives it; absent: what it gives becomes JSON. */
  readonly mediaType?: string;
  readonly parameters: Parameters;
  readonly query: Query;
  /** Absent: the route takes no body. */
  readonly body: Body | undefined;
  /** Bytes that the body may have, for askers who may use the route; `bodyBytesMax` when absent. */
  readonly bodyBytesMax?: number;
  /** Of the JSON that a success is answered with; also what `fields=` may name in a GET. */
  readonly answer?: TSchema;
  /** It answers with 303 and another address. */
  readonly redirects?: true;
  /** Of a write: the GET path whose entity tag an If-Match header is compared with. */
  readonly changes?: string;
  handle(request: {
    readonly backend: Backend;
    readonly parameters: Static<Parameters>;
    readonly query: Static<Query>;
    readonly body: Static<Body>;
    /** "admin:<name>". */
    readonly by: string;
    readonly asker: Principal;
    /** Where the asker has the route's permission. */
    readonly reach: Reach;
    /** Throws API_FORBIDDEN unless the asker has the route's permission on this envoy. */
    permitEnvoy(envoy: EnvoyFacts): void;
    readonly read: ReadApi;
    readonly shared: SharedReading;
    readonly peerAddress: string;
    /** The Host header: the name under which the asker reached us. */
    readonly host: string | undefined;
    /** Of the request, by lower-case name. */
    header(name: string): string | undefined;
    /** For what outlives the request: who asks now, with the same credential; throws when it ended. */
    readonly recheck: () => Principal;
  }): Promise<unknown>;
  /** Words a refusal; absent: as a problem document. */
  refuse?(problem: Problem, head: RequestHead): Answer;
}

/** Keeps the schema types of one route, and forgets them for the table. */
export function route<P extends TObject, Q extends TObject, B extends TSchema>(
  definition: Route<P, Q, B>,
): Route {
  return definition as unknown as Route;
}
