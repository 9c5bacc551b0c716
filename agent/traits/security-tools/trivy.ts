import type { PolicyValue } from '../../protocol/bundle.ts';
import { isMap } from '../values.ts';
import {
  countSeverities,
  severities,
  shown,
  ToolOutputError,
  type ToolParser,
  type Vulnerability,
} from './findings.ts';

/** `trivy fs --format json`, `trivy image --format json`: vulnerabilities of all targets. */
export const parseTrivy: ToolParser = (text) => {
  const report = parseJson(text);
  if (!isMap(report)) throw new ToolOutputError('not a JSON object');
  const results = listOf(report.Results).filter(isMap);
  const vulnerabilities = results.flatMap((result) =>
    listOf(result.Vulnerabilities).filter(isMap).map(vulnerabilityOf),
  );
  const section = countSeverities(
    severities,
    vulnerabilities.map(({ severity }) => severity),
  );
  return { section, vulnerabilities };
};

function parseJson(text: string): PolicyValue {
  try {
    return JSON.parse(text) as PolicyValue;
  } catch {
    throw new ToolOutputError('not JSON');
  }
}

function listOf(value: PolicyValue | undefined): readonly PolicyValue[] {
  return Array.isArray(value) ? value : [];
}

function vulnerabilityOf(entry: Readonly<Record<string, PolicyValue>>): Vulnerability {
  const word = textOf(entry.Severity).toLowerCase();
  return {
    id: shown(textOf(entry.VulnerabilityID)),
    severity: severities.find((one) => one === word) ?? 'unknown',
    packageName: shown(textOf(entry.PkgName)),
    title: shown(textOf(entry.Title)),
  };
}

function textOf(value: PolicyValue | undefined): string {
  return typeof value === 'string' ? value : '';
}
