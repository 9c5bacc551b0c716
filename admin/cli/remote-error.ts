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

function exitCodeOf(problem: Problem): number {
  const known = adminErrorRegistry[problem.code as AdminErrorCode] as
    | { exitCode: number }
    | undefined;
  if (known) return known.exitCode;
  if (problem.status === 503) return exitCodes.unreachable;
  return problem.status === 404 ? exitCodes.error : exitCodes.refused;
}
