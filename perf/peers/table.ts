import type { ScenarioResult } from './compare.ts';

/** The results as Markdown; ratios are against cf-agent in the same run. */
export function markdown(results: readonly ScenarioResult[]): string {
  return results.map(scenarioTable).join('\n\n');
}

function scenarioTable({ scenario, resources, tools, resident, idle }: ScenarioResult): string {
  const base = tools.find(({ tool }) => tool === 'cf-agent')!;
  const pass = {
    tool: 'vigo, resident: a pass',
    wallSeconds: resident.passMs.median / 1000,
    cpuSeconds: resident.cpuMsPerCycle / 1000,
    rssMegabytes: resident.rssMegabytes,
  };
  const rows = [pass, ...tools].map(({ tool, wallSeconds, cpuSeconds, rssMegabytes }) => {
    const ratio = (value: number, of: number) => `x ${significant(value / of)}`;
    const wall = `${wallSeconds.toFixed(3)} | ${ratio(wallSeconds, base.wallSeconds)}`;
    const cpu = `${cpuSeconds.toFixed(3)} | ${ratio(cpuSeconds, base.cpuSeconds)}`;
    return `| ${tool} | ${wall} | ${cpu} | ${Math.round(rssMegabytes)} |`;
  });
  return `**${scenario}: ${resources} resources, nothing to do**

| | wall, s | of cf-agent | CPU, s | of cf-agent | RSS, MB |
|---|--:|--:|--:|--:|--:|
${rows.join('\n')}

At an interval of ${idle.intervalMs / 1000} s the resident agent takes ${idle.cpuMsPerCycle} ms of CPU a
round (check-in, traits and pass), ${idle.corePercent} % of a core, and ${Math.round(idle.rssMegabytes)} MB
(${Math.round(idle.privateMegabytes)} MB of its own).`;
}

function significant(value: number): string {
  return value >= 10 ? String(Math.round(value)) : value.toPrecision(2);
}
