/** What every command of vigocli ends with; docs/cli.md explains them. */
export const exitCodes = {
  done: 0,
  error: 1,
  changesPending: 2,
  partial: 3,
  refused: 4,
  unreachable: 5,
  usage: 64,
} as const;

export const exitCodeMeanings: readonly (readonly [code: number, meaning: string])[] = [
  [exitCodes.done, 'done'],
  [exitCodes.error, 'error'],
  [exitCodes.changesPending, 'changes pending, or waiting for approval'],
  [exitCodes.partial, 'partly done, such as a rollout that stopped'],
  [exitCodes.refused, 'refused: role, freeze, approval, policy'],
  [exitCodes.unreachable, 'the server cannot be reached'],
  [exitCodes.usage, 'the command was not understood'],
];

export const exitCodeHelp = `Exit codes:
${exitCodeMeanings.map(([code, meaning]) => `  ${String(code).padEnd(3)} ${meaning}`).join('\n')}`;
