import type { Clock } from '../../../runtime/ports/clock.ts';
import type { UrlAnswer, UrlProbe } from '../../../runtime/ports/url-probe.ts';
import type { Diagnostics, Place } from './diagnostics.ts';
import type { UrlUse } from './expansion.ts';

/** URLs that one validation asks; those beyond are not asked, which is said. */
export const urlLimit = 500;
/** URLs asked at the same time. */
export const parallelUrls = 16;
/** Time for all of them; each one has the probe's own limit on top. */
export const urlsTimeMs = 60_000;
/** How long a good answer counts. */
export const urlAnswerAgeMs = 600_000;
const answerLimit = 10_000;

/** Who is asked, and the time that it may take. */
export interface UrlCheck {
  readonly probe: UrlProbe;
  readonly clock: Clock;
}

/** Asks each URL once and reports those that do not answer, wherever they are used. */
export async function checkUrls(
  uses: readonly UrlUse[],
  { probe, clock }: UrlCheck,
  diagnostics: Diagnostics,
): Promise<void> {
  const places = new Map<string, Place[]>();
  for (const { url, place } of uses) {
    if (!/^https?:\/\//i.test(url)) continue;
    places.set(url, [...(places.get(url) ?? []), place]);
  }
  const waiting = [...places].slice(0, urlLimit).reverse();
  const skipped = (place: Place, why: string) => {
    const message = `${why}; this one and those after it were not asked`;
    diagnostics.report(place, { code: 'PUBLISH_LIMIT', severity: 'warning', message });
  };
  if (places.size > urlLimit) {
    skipped([...places.values()][urlLimit]![0]!, `more than ${urlLimit} URLs`);
  }
  const end = clock.monotonicMs() + urlsTimeMs;
  const work = async () => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (clock.monotonicMs() > end) {
        waiting.length = 0;
        skipped(next[1][0]!, `the URLs took more than ${urlsTimeMs / 1000} seconds`);
        return;
      }
      const [url, used] = next;
      const answer = await probe.ask(url);
      if (answer.alive) continue;
      const message = `${url} does not answer: ${answer.reason}`;
      for (const place of used) diagnostics.report(place, { code: 'PUBLISH_DEAD_URL', message });
    }
  };
  await Promise.all(Array.from({ length: parallelUrls }, work));
}

/** Remembers good answers for a while: publishing soon after validating asks nobody again. */
export function rememberingProbe(probe: UrlProbe, clock: Clock): UrlProbe {
  const alive = new Map<string, number>();
  return {
    ask: async (url): Promise<UrlAnswer> => {
      const asked = alive.get(url);
      if (asked !== undefined && clock.monotonicMs() - asked < urlAnswerAgeMs)
        return { alive: true };
      const answer = await probe.ask(url);
      alive.delete(url);
      if (answer.alive) {
        if (alive.size >= answerLimit) alive.delete(alive.keys().next().value!);
        alive.set(url, clock.monotonicMs());
      }
      return answer;
    },
  };
}
