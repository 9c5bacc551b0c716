import type { Diagnostics, Place } from './diagnostics.ts';
import type { UrlUse } from './expansion.ts';

/** URLs that one validation asks; those beyond are not asked, which is said. */
export const urlLimit = 500;
/** URLs asked at the same time. */
const parallelLimit = 16;

/** What a URL answered. */
export type UrlAnswer =
  | { readonly alive: true }
  /** `reason`: for a person, such as "404 Not Found". */
  | { readonly alive: false; readonly reason: string };

/** The door to the network: asks one http or https URL within its own limits; never rejects. */
export interface UrlProbe {
  ask(url: string): Promise<UrlAnswer>;
}

/** Asks each URL once and reports those that do not answer, wherever they are used. */
export async function checkUrls(
  uses: readonly UrlUse[],
  probe: UrlProbe,
  diagnostics: Diagnostics,
): Promise<void> {
  const places = new Map<string, Place[]>();
  for (const { url, place } of uses) {
    if (!/^https?:\/\//i.test(url)) continue;
    places.set(url, [...(places.get(url) ?? []), place]);
  }
  const waiting = [...places].slice(0, urlLimit);
  if (places.size > urlLimit) {
    const message = `more than ${urlLimit} URLs; the others were not asked`;
    const place = [...places.values()][urlLimit]![0]!;
    diagnostics.report(place, { code: 'PUBLISH_LIMIT', severity: 'warning', message });
  }
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [url, used] = next;
      const answer = await probe.ask(url);
      if (answer.alive) continue;
      const message = `${url} does not answer: ${answer.reason}`;
      for (const place of used) diagnostics.report(place, { code: 'PUBLISH_DEAD_URL', message });
    }
  };
  await Promise.all(Array.from({ length: parallelLimit }, work));
}
