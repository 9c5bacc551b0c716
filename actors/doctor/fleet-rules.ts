import type { CertificateGroup, EndingCertificates } from '../sink/fleet-views.ts';
import { type Examination, type Finding, problem, warning } from './view.ts';

const namedMax = 5;
/** Beside the connections: stores, database, files that are served. */
const ownDescriptors = 200;
const minorsBehind = 2;

/** What the database knows of the fleet, and what the process may hold. */
export interface FleetFacts {
  readonly serverVersion: string;
  readonly policyVersion: number;
  readonly envoys: number;
  /** Names of those that are silent for longer than three intervals, and how many there are. */
  readonly offline: { readonly count: number; readonly names: readonly string[] };
  readonly agents: readonly { readonly version: string; readonly envoys: number }[];
  /** Envoys whose requests were refused within a day because of their clocks. */
  readonly skewed: readonly string[];
  /** Envoys that told of a policy above the one in force. */
  readonly ahead: { readonly count: number; readonly version: number };
  /** Undefined where the operating system does not tell. */
  readonly descriptorLimit: number | undefined;
  /** A restore whose shorter audit log nobody has vouched for. */
  readonly unacknowledgedRestore: { readonly through: number } | undefined;
  /** Client certificates that nobody renewed. */
  readonly certificates: EndingCertificates;
}

const checked = [
  'offline-envoys',
  'old-agents',
  'envoy-clocks',
  'file-descriptors',
  'policy-behind',
  'restored-audit',
  'envoy-certificates',
];

export function fleetFindings(facts: FleetFacts): Examination {
  return {
    findings: [
      ...offline(facts),
      ...oldAgents(facts),
      ...clocks(facts),
      ...descriptors(facts),
      ...ahead(facts),
      ...restored(facts),
      ...certificates(facts),
    ],
    checked,
  };
}

function offline({ offline: { count, names }, envoys }: FleetFacts): Finding[] {
  if (count === 0) return [];
  const words = {
    finding: `${count} of ${envoys} envoys are offline: ${named(names, count)}`,
    why: 'they enforce the last policy that they have, and nobody sees what happens there',
    remedy: 'look there: vigo status; or, for machines that are gone, vigocli envoys revoke',
  };
  const isMost = count * 2 > envoys && envoys > 1;
  return [isMost ? problem('offline-envoys', words) : warning('offline-envoys', words)];
}

function oldAgents({ agents, serverVersion }: FleetFacts): Finding[] {
  const old = agents.filter(({ version }) => isMuchOlder(version, serverVersion));
  if (old.length === 0) return [];
  const count = old.reduce((sum, { envoys }) => sum + envoys, 0);
  const versions = old.map(({ version }) => version);
  return [
    warning('old-agents', {
      finding: `${count} agents are much older than the server ${serverVersion}: ${named(versions, versions.length)}`,
      why: 'they do not know newer resource types, and lack repairs',
      remedy: 'roll a newer release out: vigocli releases rollout (docs/updates.md)',
    }),
  ];
}

/** Another major version, or two minor ones behind. */
export function isMuchOlder(agent: string, server: string): boolean {
  const parse = (text: string) => /^(\d+)\.(\d+)\./.exec(text)?.slice(1).map(Number);
  const [ours, theirs] = [parse(server), parse(agent)];
  if (ours === undefined || theirs === undefined) return false;
  const [major = 0, minor = 0] = ours;
  const [theirMajor = 0, theirMinor = 0] = theirs;
  if (theirMajor !== major) return theirMajor < major;
  return minor - theirMinor >= minorsBehind;
}

function clocks({ skewed }: FleetFacts): Finding[] {
  if (skewed.length === 0) return [];
  return [
    problem('envoy-clocks', {
      finding: `clocks differ from the server's by too much: ${named(skewed, skewed.length)}`,
      why: 'their requests are refused, so that recorded ones cannot be sent again',
      remedy:
        'set the clock there (timedatectl set-ntp true); when it is every envoy, the clock here is wrong',
    }),
  ];
}

function descriptors({ descriptorLimit, envoys }: FleetFacts): Finding[] {
  const needed = envoys + ownDescriptors;
  if (descriptorLimit === undefined || descriptorLimit >= needed) return [];
  return [
    problem('file-descriptors', {
      finding: `the server may open ${descriptorLimit} files, and ${envoys} envoys need about ${needed}`,
      why: 'further envoys cannot connect, and files cannot be opened',
      remedy: 'raise it: LimitNOFILE= of vigosrv.service, or ulimit -n before vigosrv start',
    }),
  ];
}

function ahead({ ahead: { count, version }, policyVersion }: FleetFacts): Finding[] {
  if (count === 0) return [];
  return [
    problem('policy-behind', {
      finding: `${count} envoys hold policy version ${version}, and the server ${policyVersion}`,
      why: 'they enforce what they hold, and refuse anything older: the server was restored from a backup',
      remedy: 'publish once; the number rises above theirs: vigocli config publish',
    }),
  ];
}

function restored({ unacknowledgedRestore }: FleetFacts): Finding[] {
  if (unacknowledgedRestore === undefined) return [];
  const { through } = unacknowledgedRestore;
  return [
    warning('restored-audit', {
      finding: 'the server was restored from a backup, and nobody has vouched for its audit log',
      why: 'envoys that saw the longer log report it as cut',
      remedy: `vigocli audit acknowledge-restore --through ${through} --reason "..."`,
    }),
  ];
}

function certificates({ certificates: { ended, ending } }: FleetFacts): Finding[] {
  const findings: Finding[] = [];
  const hosts = ({ examples, count }: CertificateGroup) =>
    named(
      examples.map(({ name }) => name),
      count,
    );
  const again = 'enroll them again with a new token: vigo install --reenroll (docs/install.md)';
  if (ended.count > 0) {
    findings.push(
      problem('envoy-certificates', {
        finding: `the client certificate has ended, envoys ${ended.count}: ${hosts(ended)}`,
        why: 'they are refused at their next connection, and enforce the last policy that they have',
        remedy: `${again}; each becomes another envoy, so revoke the former: vigocli envoys revoke`,
      }),
    );
  }
  if (ending.count > 0) {
    const day = new Date(ending.firstEndsMs ?? 0).toISOString().slice(0, 10);
    findings.push(
      warning('envoy-certificates', {
        finding: `the client certificate ends soon (first ${day}), envoys ${ending.count}: ${hosts(ending)}`,
        why: 'agents do not renew theirs; one that has ended is refused, and the machine becomes another envoy',
        remedy: `${again}; before the end each stays the envoy that it is`,
      }),
    );
  }
  return findings;
}

function named(names: readonly string[], count: number): string {
  const shown = names.slice(0, namedMax).join(', ');
  return count > namedMax ? `${shown} and ${count - namedMax} more` : shown;
}
