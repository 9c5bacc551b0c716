import { type Examination, type Finding, problem, warning } from './view.ts';

const dayMs = 86_400_000;
const megabyte = 1024 * 1024;
const certificateWarnMs = 30 * dayMs;
const authorityWarnMs = 180 * dayMs;
const backupWarnMs = 7 * dayMs;
const diskWarnBytes = 1024 * megabyte;
const diskProblemBytes = 200 * megabyte;
const diskWarnShare = 0.05;
const namedMax = 5;

/** What a server's home looks like, whether the server runs or not. */
export interface HomeFacts {
  readonly home: string;
  /** What loading server.yaml said. */
  readonly config: { readonly message: string; readonly remedy: string } | undefined;
  /** Private files that others may read or write, and those of another account. */
  readonly exposed: readonly { readonly path: string; readonly mode: string }[];
  readonly foreign: readonly string[];
  readonly certificates: readonly {
    readonly name: 'server' | 'authority';
    readonly endsMs: number | undefined;
  }[];
  readonly disk: { readonly freeBytes: number; readonly totalBytes: number } | undefined;
  readonly inodes: { readonly free: number; readonly total: number } | undefined;
  readonly stack: {
    readonly directory: string;
    readonly exists: boolean;
    readonly policyFiles: number;
    readonly unreadable: readonly string[];
    readonly writableByOthers: readonly string[];
  };
  /** Newest backup; undefined when there is none. */
  readonly backup: { readonly name: string; readonly createdAtMs: number } | undefined;
  /** Whether there is anything to lose yet. */
  readonly isUsed: boolean;
  readonly interruptedRestore: boolean;
}

const checked = [
  'settings',
  'exposed-file',
  'foreign-file',
  'certificate',
  'disk-space',
  'stack',
  'backup',
  'restore',
];

export function homeFindings(facts: HomeFacts, nowMs: number): Examination {
  return {
    findings: [
      ...settings(facts),
      ...exposed(facts),
      ...certificates(facts, nowMs),
      ...disk(facts),
      ...stack(facts),
      ...backups(facts, nowMs),
      ...restore(facts),
    ],
    checked,
  };
}

function settings({ config, home }: HomeFacts): Finding[] {
  if (config === undefined) return [];
  return [
    problem('settings', {
      finding: `server.yaml cannot be used: ${config.message}`,
      why: `vigosrv does not start with it (${home})`,
      remedy: config.remedy,
    }),
  ];
}

function exposed({ exposed: open, foreign }: HomeFacts): Finding[] {
  const paths = open.map(({ path }) => path);
  const files = open.map(({ path, mode }) => `${path} (${mode})`);
  return [
    ...(files.length === 0
      ? []
      : [
          problem('exposed-file', {
            finding: `other accounts may read or write: ${named(files)}`,
            why: 'whoever has these keys can act as the server, or as its administrator',
            remedy: `chmod go= ${paths.slice(0, namedMax).join(' ')}; if others use this machine, replace the keys`,
          }),
        ]),
    ...(foreign.length === 0
      ? []
      : [
          warning('foreign-file', {
            finding: `of another account than the server's: ${named(foreign)}`,
            why: 'the server may fail to write there, and that account can change it',
            remedy: 'chown the files to the account that runs vigosrv',
          }),
        ]),
  ];
}

function certificates({ certificates: all }: HomeFacts, nowMs: number): Finding[] {
  return all.flatMap(({ name, endsMs }): Finding[] => {
    const of = name === 'server' ? "the server's certificate" : 'the certificate of the authority';
    const remedy =
      name === 'server'
        ? 'restart vigosrv: it issues itself a new one'
        : 'plan for a new authority: every envoy and person trusts this one';
    if (endsMs === undefined) {
      const why = 'nobody can tell this server from another one';
      return [problem('certificate', { finding: `${of} cannot be read`, why, remedy })];
    }
    const leftMs = endsMs - nowMs;
    const why = 'agents and people refuse to talk to a server whose certificate has ended';
    const when = new Date(endsMs).toISOString().slice(0, 10);
    if (leftMs <= 0)
      return [problem('certificate', { finding: `${of} ended on ${when}`, why, remedy })];
    if (leftMs > (name === 'server' ? certificateWarnMs : authorityWarnMs)) return [];
    return [warning('certificate', { finding: `${of} ends on ${when}`, why, remedy })];
  });
}

function disk({ disk: space, inodes, home }: HomeFacts): Finding[] {
  const why =
    'a full disk refuses reports, publishes and backups; nothing that was acknowledged is lost';
  const remedy = 'free space on that disk: old backups, .replaced, logs; or make it larger';
  const found: Finding[] = [];
  if (space !== undefined) {
    const { freeBytes, totalBytes } = space;
    const finding = `${Math.round(freeBytes / megabyte)} MB are free where ${home} is`;
    const share = freeBytes / totalBytes;
    if (freeBytes < diskProblemBytes) found.push(problem('disk-space', { finding, why, remedy }));
    else if (freeBytes < diskWarnBytes || share < diskWarnShare)
      found.push(warning('disk-space', { finding, why, remedy }));
  }
  if (inodes !== undefined && inodes.total > 0 && inodes.free / inodes.total < diskWarnShare) {
    const finding = `only ${inodes.free} more files can be made where ${home} is`;
    found.push(warning('disk-space', { finding, why, remedy }));
  }
  return found;
}

function stack({ stack: files }: HomeFacts): Finding[] {
  const { directory, exists, policyFiles, unreadable, writableByOthers } = files;
  const why = 'a publish takes what stands there, or is refused';
  if (!exists) {
    const finding = `there is no stack directory ${directory}`;
    return [problem('stack', { finding, why, remedy: `make it: mkdir -m 700 ${directory}` })];
  }
  const found: Finding[] = [];
  if (policyFiles === 0) {
    const remedy = 'write a module and a node entry there; examples are in docs/policy.md';
    found.push(warning('stack', { finding: `${directory} has no .vgo file`, why, remedy }));
  }
  if (unreadable.length > 0) {
    const remedy = 'let the account that runs vigosrv read it, or take it out of the stack';
    const finding = `cannot be read: ${named(unreadable)}`;
    found.push(problem('stack', { finding, why: 'no publish goes through', remedy }));
  }
  if (writableByOthers.length > 0) {
    found.push(
      problem('stack', {
        finding: `any account of this machine may change: ${named(writableByOthers)}`,
        why: 'what stands there runs as root on every envoy after the next publish',
        remedy: `chmod -R go-w ${directory}`,
      }),
    );
  }
  return found;
}

function backups({ backup, isUsed }: HomeFacts, nowMs: number): Finding[] {
  if (!isUsed) return [];
  const why = 'without one, a broken disk means to enroll every envoy again';
  if (backup === undefined) {
    const remedy = 'vigocli backup create --passphrase-file FILE --output FILE, and a timer for it';
    return [warning('backup', { finding: 'there is no backup', why, remedy })];
  }
  const ageMs = nowMs - backup.createdAtMs;
  if (ageMs <= backupWarnMs) return [];
  const finding = `the newest backup, ${backup.name}, is ${Math.floor(ageMs / dayMs)} days old`;
  const remedy = 'vigocli backup create, and a timer for it (docs/backup.md)';
  return [warning('backup', { finding, why: 'what happened since would be lost', remedy })];
}

function restore({ interruptedRestore, home }: HomeFacts): Finding[] {
  if (!interruptedRestore) return [];
  return [
    problem('restore', {
      finding: `a restore into ${home} was interrupted`,
      why: 'the home is between two states',
      remedy: 'start vigosrv: it finishes the restore, or forgets it, before it serves',
    }),
  ];
}

function named(names: readonly string[]): string {
  const shown = names.slice(0, namedMax).join(', ');
  return names.length > namedMax ? `${shown} and ${names.length - namedMax} more` : shown;
}
