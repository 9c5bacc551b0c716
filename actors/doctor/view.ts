/** What the doctor found wrong, in words for the person who has to repair it. */
export interface Finding {
  /** Stable, for programs: "certificate-expiring". */
  readonly check: string;
  /** A problem harms now; a warning will, or may. */
  readonly severity: 'problem' | 'warning';
  /** What is so. */
  readonly finding: string;
  /** What that leads to. */
  readonly why: string;
  /** What to do about it. */
  readonly remedy: string;
}

export interface Examination {
  /** Problems first. */
  readonly findings: readonly Finding[];
  /** Names of every check that was made, also of those that found nothing. */
  readonly checked: readonly string[];
}

export function problem(check: string, words: Omit<Finding, 'check' | 'severity'>): Finding {
  return { check, severity: 'problem', ...words };
}

export function warning(check: string, words: Omit<Finding, 'check' | 'severity'>): Finding {
  return { check, severity: 'warning', ...words };
}

export function inOrder(findings: readonly Finding[]): Finding[] {
  const rank = { problem: 0, warning: 1 };
  return [...findings].sort((a, b) => rank[a.severity] - rank[b.severity]);
}
