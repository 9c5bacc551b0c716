import type { Html } from './html.ts';

/** Parts that are kept at once. */
const partsMax = 16;

/**
 * A part of a page that everybody who may see it sees alike: rendered once for all who look within
 * `forMs`, so that a wall of dashboards costs one. Permissions are decided before it is asked for.
 */
export class SharedPart {
  readonly #forMs: number;
  readonly #kept = new Map<string, { readonly atMs: number; readonly body: Html }>();

  constructor(forMs: number) {
    this.#forMs = forMs;
  }

  of(key: string, nowMs: number, render: () => Html): Html {
    const known = this.#kept.get(key);
    if (known !== undefined && nowMs >= known.atMs && nowMs - known.atMs < this.#forMs) {
      return known.body;
    }
    const body = render();
    if (this.#kept.size >= partsMax) this.#kept.clear();
    this.#kept.set(key, { atMs: nowMs, body });
    return body;
  }
}
