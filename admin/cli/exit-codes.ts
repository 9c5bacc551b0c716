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

export const exitCodeHelp = `Exit codes:
  0   done
  1   error
  2   changes pending, or waiting for approval
  3   partly done, such as a rollout that stopped
  4   refused: role, freeze, approval, policy
  5   the server cannot be reached
  64  the command was not understood`;
