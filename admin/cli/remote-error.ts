import type { Problem } from '../api/problem.ts';
import { type AdminErrorCode, adminErrorRegistry } from '../errors.ts';
import { exitCodes } from './exit-codes.ts';

/** A refusal by the server, as the server worded it. */
export class RemoteError extends Error {
  override readonly name = 'RemoteError';
  readonly problem: Problem;
  readonly exitCode: number;

  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
    this.exitCode = exitCodeOf(problem);
  }
}

/** For codes of the server's actors; everything else is an error. */
const byStatus = new Map<number, number>([
  [400, exitCodes.usage],
  [401, exitCodes.refused],
  [403, exitCodes.refused],
  [409, exitCodes.refused],
  [412, exitCodes.refused],
  [423, exitCodes.refused],
  [503, exitCodes.unreachable],
]);

function exitCodeOf(problem: Problem): number {
  const known = adminErrorRegistry[problem.code as AdminErrorCode] as
    | { exitCode: number }
    | undefined;
  if (known) return known.exitCode;
  return byStatus.get(problem.status) ?? exitCodes.error;
}
