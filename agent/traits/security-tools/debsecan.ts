import {
  countSeverities,
  linesOf,
  type Severity,
  shown,
  ToolOutputError,
  type ToolParser,
  type Vulnerability,
} from './findings.ts';

const urgencies = ['high', 'medium', 'low', 'unassigned'] as const;
type Urgency = (typeof urgencies)[number];

const finding = /^((?:CVE|TEMP)-[0-9A-Z-]{1,40}) ([a-z0-9][a-z0-9+.-]*)(?: \((.*)\))?$/;
const severityOf: Readonly<Record<Urgency, Severity>> = {
  high: 'high',
  medium: 'medium',
  low: 'low',
  unassigned: 'unknown',
};

/** `debsecan` with `--format summary` (the default) or `simple`, which has no urgencies. */
export const parseDebsecan: ToolParser = (text) => {
  const vulnerabilities: Vulnerability[] = [];
  const found: Urgency[] = [];
  for (const line of linesOf(text)) {
    const match = finding.exec(line.trim());
    if (match === null) continue;
    const word = /\b(high|medium|low) urgency\b/.exec(match[3] ?? '')?.[1];
    const urgency = urgencies.find((one) => one === word) ?? 'unassigned';
    found.push(urgency);
    vulnerabilities.push({
      id: shown(match[1]!),
      severity: severityOf[urgency],
      packageName: shown(match[2]!),
      title: '',
    });
  }
  if (found.length === 0 && text.trim() !== '') throw new ToolOutputError('no line of a finding');
  const section = { ...countSeverities(urgencies, found), total: found.length };
  return { section, vulnerabilities };
};
