/**
 * The convergence states of an envoy (docs/states.md). One at a time; a revoked envoy has none.
 * `offline` and `no data` say that nothing is known of now, the others tell of the last run.
 */
export const envoyStates = [
  'converged',
  'relapsed',
  'diverged',
  'degraded',
  'failed',
  'offline',
  'no data',
] as const;

export type EnvoyState = (typeof envoyStates)[number];

/** What listings say of an envoy that is refused for ever. */
export const revokedState = 'revoked';

/** Numbers as they stand in the database and in hot records; 2 was "changed" once and is not used. */
const numbers: Readonly<Record<EnvoyState, number>> = {
  'no data': 0,
  converged: 1,
  degraded: 3,
  failed: 4,
  relapsed: 5,
  diverged: 6,
  offline: 7,
};

const names = new Map(envoyStates.map((state) => [numbers[state], state]));

export function stateNumber(state: EnvoyState): number {
  return numbers[state];
}

/** 'no data' for a number that no release wrote. */
export function stateOfNumber(number: number): EnvoyState {
  return names.get(number) ?? 'no data';
}
