import type { PolicyValue } from '../protocol/bundle.ts';

/** Parameters without those that have nothing to say. */
export function given(
  parameters: Readonly<Record<string, PolicyValue | undefined>>,
): Readonly<Record<string, PolicyValue>> {
  const entries = Object.entries(parameters);
  return Object.fromEntries(
    entries.filter((one): one is [string, PolicyValue] => one[1] !== undefined),
  );
}
