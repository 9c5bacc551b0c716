import { AgentError, type AgentErrorCode, type ErrorDetails } from '../../errors.ts';

/** 1-based line and column (UTF-16 units) of an offset. */
export function lineAndColumn(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  let line = 1;
  for (let index = before.indexOf('\n'); index !== -1; index = before.indexOf('\n', index + 1)) {
    line += 1;
  }
  return { line, column: offset - lineStart + 1 };
}

/** A template error at an offset; `details` has line, column and offset besides those given. */
export function templateError(
  code: AgentErrorCode & `POLICY_TEMPLATE_${string}`,
  text: string,
  offset: number,
  details: ErrorDetails,
): AgentError {
  return new AgentError(code, { ...details, ...lineAndColumn(text, offset), offset });
}
