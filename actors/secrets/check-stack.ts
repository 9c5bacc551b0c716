import { closestName } from '../../agent/policy/closest.ts';
import type { Clock } from '../../runtime/ports/clock.ts';
import { codeOf } from '../errors.ts';
import type { Diagnostics } from '../publish/stack/diagnostics.ts';
import type { StackFiles } from '../publish/stack/stack-files.ts';
import type { SecretProvider } from './provider.ts';
import { type WrittenReference, writtenReferences } from './stack-references.ts';

/** Looks into the store at the same time. */
const parallelLooks = 8;
/** A validation waits so long for the store, all secrets together. */
export const checkTimeLimitMs = 10_000;

/** Reports what is wrong with the secrets that a stack refers to. */
export type SecretCheck = (files: StackFiles, diagnostics: Diagnostics) => Promise<void>;

/**
 * Each reference must be able to stand where it is written, and its secret must exist. A store that
 * does not answer in time makes the stack invalid: what it would bring is not known.
 */
export function createSecretCheck(
  provider: SecretProvider,
  clock: Pick<Clock, 'monotonicMs' | 'after'>,
): SecretCheck {
  return async (files, diagnostics) => {
    const byPath = new Map<string, WrittenReference[]>();
    for (const reference of writtenReferences(files)) {
      const { path, fault } = reference;
      if (fault !== undefined) {
        diagnostics.report(reference, { code: 'PUBLISH_SECRET', message: fault });
        continue;
      }
      const places = byPath.get(path);
      if (places === undefined) byPath.set(path, [reference]);
      else places.push(reference);
    }
    if (byPath.size === 0) return;
    const answers = await lookAll([...byPath.keys()], provider, clock);
    const known = new Set([...answers].filter(([, answer]) => answer === 'there').map(([p]) => p));
    for (const [path, places] of byPath) {
      const answer = answers.get(path) ?? 'the secret store did not answer in time';
      if (answer === 'there') continue;
      const missing = answer === 'missing';
      const message = missing
        ? `there is no secret ${path}; set it: vigocli secrets set ${path}`
        : `whether there is a secret ${path} is not known: ${answer}`;
      const suggestion = missing ? closestName(path, known) : undefined;
      for (const place of places)
        diagnostics.report(place, { code: 'PUBLISH_SECRET', message, suggestion });
    }
  };
}

/** Path -> "there", "missing", or why it is not known. What took too long is absent. */
async function lookAll(
  paths: readonly string[],
  provider: SecretProvider,
  clock: Pick<Clock, 'monotonicMs' | 'after'>,
): Promise<Map<string, string>> {
  const answers = new Map<string, string>();
  const untilMs = clock.monotonicMs() + checkTimeLimitMs;
  let next = 0;
  const look = async (): Promise<void> => {
    while (next < paths.length && clock.monotonicMs() < untilMs) {
      const path = paths[next++]!;
      try {
        answers.set(path, (await provider.exists(path)) ? 'there' : 'missing');
      } catch (error) {
        answers.set(path, error instanceof Error ? error.message : codeOf(error));
        // One that does not answer will not answer for the rest either.
        if (codeOf(error) === 'SECRETS_UNAVAILABLE') next = paths.length;
      }
    }
  };
  const all = Promise.all(Array.from({ length: parallelLooks }, look));
  await Promise.race([all, timeUp(clock)]);
  return new Map(answers);
}

function timeUp(clock: Pick<Clock, 'after'>): Promise<void> {
  return new Promise((resolve) => {
    clock.after(checkTimeLimitMs, resolve, { unref: true });
  });
}
