import { decodePathPart } from './http/guard-head.ts';
import type { CompiledRoute } from './http/validate.ts';

/** A route with the values of its path's parameters; none when there is no such route. */
export interface Found {
  readonly found?: CompiledRoute;
  readonly values: Readonly<Record<string, string>>;
}

/** Finds routes by path: those without parameters by their name, the others in order. */
export class RouteIndex {
  readonly #byPath = new Map<string, CompiledRoute>();
  readonly #byMethod = new Map<string, CompiledRoute[]>();

  constructor(routes: readonly CompiledRoute[]) {
    for (const route of routes) {
      const { method, path } = route.route;
      this.#byMethod.set(method, [...(this.#byMethod.get(method) ?? []), route]);
      // The first one that fits is the one: it may have parameters and stand before.
      const first = route.names.length === 0 && this.#search(method, path) === route;
      if (first) this.#byPath.set(`${method} ${path}`, route);
    }
  }

  at(method: string, path: string): CompiledRoute | undefined {
    return this.#byPath.get(`${method} ${path}`) ?? this.#search(method, path);
  }

  /** Throws API_BAD_REQUEST for a path that hides something in a parameter. */
  find(method: string, path: string): Found {
    const found = this.at(method, path);
    if (found === undefined) return { values: {} };
    const match = found.names.length === 0 ? undefined : found.pattern.exec(path);
    const pairs = found.names.map((name, at) => [name, decodePathPart(match?.[at + 1] ?? '')]);
    return { found, values: Object.fromEntries(pairs) as Record<string, string> };
  }

  #search(method: string, path: string): CompiledRoute | undefined {
    return this.#byMethod.get(method)?.find(({ pattern }) => pattern.test(path));
  }
}
