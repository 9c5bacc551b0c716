import { readFileSync } from 'node:fs';
import { type FleetFacts, fleetFindings } from '../../doctor/fleet-rules.ts';
import { homeFindings } from '../../doctor/home-rules.ts';
import { type Examination, inOrder, problem } from '../../doctor/view.ts';
import { readFleetRows } from '../../sink/doctor-queries.ts';
import { readHomeFacts } from './home-facts.ts';

/** Check-ins that an envoy may miss. */
const missedMax = 3;
/** Beyond what it takes until "last seen" is in the database. */
const settleMs = 15_000;

export interface ExamineOptions {
  readonly home: string;
  readonly nowMs: number;
  readonly version: string;
  readonly database: string;
  readonly intervalMs: number;
  /** Of the process that serves; undefined when none does. */
  readonly descriptorLimit: number | undefined;
}

/** Everything that the home and the database tell. */
export async function examineMachine(options: ExamineOptions): Promise<Examination> {
  const home = homeFindings(await readHomeFacts(options.home), options.nowMs);
  const fleet = examineFleet(options);
  return {
    findings: inOrder([...home.findings, ...fleet.findings]),
    checked: [...home.checked, ...fleet.checked],
  };
}

function examineFleet(options: ExamineOptions): Examination {
  const { database, nowMs, intervalMs, version: serverVersion, descriptorLimit } = options;
  try {
    const rows = readFleetRows(database, nowMs, missedMax * intervalMs + settleMs);
    const facts: FleetFacts = { ...rows, serverVersion, descriptorLimit };
    return fleetFindings(facts);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const found = problem('database', {
      finding: `the database ${database} cannot be read: ${reason}`,
      why: 'nothing is enrolled, settled or published without it',
      remedy: 'check the disk; restore the newest backup: vigocli backup restore',
    });
    return { findings: [found], checked: ['database'] };
  }
}

/** Files that this process may open; undefined where the operating system does not tell. */
export function descriptorLimit(): number | undefined {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    const limit = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1]);
    return Number.isFinite(limit) ? limit : undefined;
  } catch {
    return undefined;
  }
}
