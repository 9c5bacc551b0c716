import { execFileSync } from 'node:child_process';
import { arch, cpus, release, totalmem, type } from 'node:os';
import { serverVersion } from '../../actors/server/version.ts';
import { type Fact, fact } from '../present/view.ts';

/** What was measured, when and on what. Without it nobody can tell next year what a kept figure was. */
export interface Provenance {
  /** When the run began: ISO 8601, UTC, to the second. */
  readonly measured_at: string;
  readonly vigo: {
    readonly version: string;
    /** Of a checkout, with "-dirty" when programs differ from it; absent in an installed package. */
    readonly commit?: string;
  };
  readonly machine: Machine;
}

interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memory_gb: number;
  readonly system: string;
  readonly node: string;
}

/** Where this file is in a checkout: as source, or compiled. */
const ownPrefixes = ['bench/run/', 'dist/bench/run/'];
/** A result that is just being kept, and what is written about it, change no program. */
const programs = [':(top)', ':(top,exclude)perf/results', ':(top,exclude,glob)**/*.md'];

/** To be asked for when a run begins: while it lasts somebody may commit, or change files. */
export function provenance(now: Date): Provenance {
  const commit = checkedOutCommit(import.meta.dirname);
  return {
    measured_at: `${now.toISOString().slice(0, 19)}Z`,
    vigo: { version: serverVersion(), ...(commit === undefined ? {} : { commit }) },
    machine: machine(),
  };
}

/** For people: which program, when, on which machine. */
export function provenanceFacts({ measured_at, vigo, machine }: Provenance): Fact[] {
  return [
    fact('Measured', `${measured_at}, Vigo ${vigoName(vigo)}`),
    fact(
      'Machine',
      `${machine.cpu}, ${machine.cores} cores, ${machine.memory_gb} GB, ${machine.system}, Node ${machine.node}`,
    ),
  ];
}

/** "0.1.0 (3f2a1bc)" */
export function vigoName({ version, commit }: Provenance['vigo']): string {
  return commit === undefined ? version : `${version} (${commit})`;
}

/** Undefined also inside of somebody else's repository, where an installed package may well be. */
export function checkedOutCommit(directory: string): string | undefined {
  try {
    if (!ownPrefixes.includes(git(directory, 'rev-parse', '--show-prefix'))) return undefined;
    const commit = git(directory, 'rev-parse', '--short', 'HEAD');
    const changed = git(directory, 'diff', '--name-only', 'HEAD', '--', ...programs);
    return changed === '' ? commit : `${commit}-dirty`;
  } catch {
    return undefined;
  }
}

function git(directory: string, ...words: string[]): string {
  const stdio = ['ignore', 'pipe', 'ignore'] as const;
  return execFileSync('git', ['-C', directory, ...words], {
    encoding: 'utf8',
    stdio: [...stdio],
  }).trim();
}

function machine(): Machine {
  const processors = cpus();
  return {
    cpu: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    memory_gb: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()} ${arch()}`,
    node: process.version,
  };
}
