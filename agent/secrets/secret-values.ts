import { noRedaction, Redactor } from './redactor.ts';

/** The values that one pass may use, in memory only. Another set is another object. */
export interface SecretValues {
  get(path: string): string | undefined;
  /** Knows these values and those that they replaced. */
  readonly redactor: Redactor;
}

export const noSecretValues: SecretValues = { get: () => undefined, redactor: noRedaction };

/** `former`: values that are not in force any more but may still be met on the node. */
export function secretValues(
  values: ReadonlyMap<string, string>,
  former: Iterable<string> = [],
): SecretValues {
  return {
    get: (path) => values.get(path),
    redactor: new Redactor([...values.values(), ...former]),
  };
}
