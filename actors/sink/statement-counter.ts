const counter = { statements: 0 };

/**
 * SQL statements that this thread has executed since it started. A fleet shard shows it in its
 * status: there it stays 0 (no SQL on the check-in path).
 */
export function sqlStatementCount(): number {
  return counter.statements;
}

export function countSqlStatement(): void {
  counter.statements += 1;
}
