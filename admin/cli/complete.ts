import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { Client } from './client.ts';
import { isLiveKind, type LiveKind } from './completion-kinds.ts';
import { type Connection, connectionOf } from './connection.ts';
import { readContexts } from './context/store.ts';
import { buildProgram } from './program.ts';
import type { GlobalOptions } from './session.ts';

/** Somebody waits for Tab. */
const limitMs = 1_000;
const freshMs = 30_000;
/** After a failure, until it is tried again. */
const failedMs = 10_000;
const valuesMax = 2_000;
const pageLimit = 500;
/** Shells expand what they are given: whatever could be more than a word is left out. */
const safeWord = /^[A-Za-z0-9][A-Za-z0-9._:@/+-]*$/;

interface Kept {
  readonly atMs: number;
  readonly values: readonly string[];
  readonly failed: boolean;
}

type Row = Readonly<Record<string, unknown>>;

/** Where values are listed, and which of a row's fields are names. */
const sources: Readonly<
  Record<Exclude<LiveKind, 'contexts'>, readonly [path: string, fields: readonly string[]]>
> = {
  envoys: [`/api/v1/envoys?limit=${pageLimit}`, ['hostname']],
  tokens: ['/api/v1/tokens', ['id']],
  'admin-tokens': ['/api/v1/auth/tokens', ['id', 'name']],
  versions: ['/api/v1/config/history?limit=50', ['version']],
  candidates: ['/api/v1/config/status', ['contentHash']],
  runs: ['/api/v1/runs?limit=50', ['id']],
  plans: ['/api/v1/plans?limit=50', ['id']],
  secrets: ['/api/v1/secrets', ['path']],
  releases: ['/api/v1/releases', ['version']],
  users: ['/api/v1/users', ['name']],
  backups: ['/api/v1/backups', ['name']],
};

/**
 * Prints the values of a kind, one a line, for the completion of a shell: `words` is what was typed so far and
 * names the server. Says nothing when there are none, or when they would take too long; never fails.
 */
export async function complete([kind = '', ...words]: readonly string[]): Promise<void> {
  let known: readonly string[] = [];
  const print = (values: readonly string[]) =>
    void writeSync(1, values.map((value) => `${value}\n`).join(''));
  const late = setTimeout(() => {
    print(known);
    process.exit(0);
  }, Number(process.env.VIGO_COMPLETION_LIMIT_MS) || limitMs);
  try {
    if (!isLiveKind(kind)) return;
    print(
      await valuesOf(kind, words, (values) => {
        known = values;
      }),
    );
  } catch {
    // Somebody types; there is nobody to tell.
    print(known);
  } finally {
    clearTimeout(late);
  }
}

/** `tell` hears what was known before, for when the server takes too long. */
async function valuesOf(
  kind: LiveKind,
  words: readonly string[],
  tell: (values: readonly string[]) => void,
): Promise<readonly string[]> {
  if (kind === 'contexts') {
    return ['default', ...readContexts(process.env).contexts.map(({ name }) => name)];
  }
  const program = buildProgram();
  program.parseOptions([...words]);
  const connection = connectionOf(program.opts<GlobalOptions>(), process.env);
  const file = cacheFile(connection, kind);
  const kept = read(file);
  tell(kept?.values ?? []);
  const age = kept === undefined ? Number.POSITIVE_INFINITY : Date.now() - kept.atMs;
  if (kept !== undefined && age >= 0 && age < (kept.failed ? failedMs : freshMs))
    return kept.values;
  // Kept first: whoever presses Tab again meanwhile, or after the limit, need not wait.
  write(file, { atMs: Date.now(), values: kept?.values ?? [], failed: true });
  const [path, fields] = sources[kind];
  const answer = await new Client(connection).get<Row>(path);
  const rows = kind === 'candidates' ? [answer.candidate as Row] : (answer.items as Row[]);
  const found = (rows ?? []).flatMap((row) => fields.map((field) => String(row?.[field] ?? '')));
  const values = [...new Set(found.filter((value) => safeWord.test(value)))].slice(0, valuesMax);
  write(file, { atMs: Date.now(), values, failed: false });
  return values;
}

/** One for each server, asker and kind; nobody else can read or write it. Undefined: nothing is kept. */
function cacheFile({ host, port, token }: Connection, kind: LiveKind): string | undefined {
  const { XDG_CACHE_HOME: cacheHome, HOME: home } = process.env;
  const owner = cacheHome || home;
  if (!owner || !isAbsolute(owner)) return undefined;
  const directory = join(cacheHome || join(owner, '.cache'), 'vigo', 'completion');
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const { uid, mode } = statSync(directory);
    if (uid !== process.geteuid?.() || (mode & 0o022) !== 0) return undefined;
  } catch {
    return undefined;
  }
  const key = createHash('sha256').update(`${host}\0${port}\0${token}`).digest('hex');
  return join(directory, `${key.slice(0, 32)}-${kind}.json`);
}

function read(file: string | undefined): Kept | undefined {
  if (file === undefined) return undefined;
  try {
    const kept = JSON.parse(readFileSync(file, 'utf8')) as Kept;
    const values = kept.values.filter((value) => safeWord.test(value));
    return { ...kept, values };
  } catch {
    return undefined;
  }
}

function write(file: string | undefined, kept: Kept): void {
  if (file === undefined) return;
  try {
    const draft = `${file}.${process.pid}`;
    writeFileSync(draft, JSON.stringify(kept), { mode: 0o600 });
    renameSync(draft, file);
  } catch {
    // Then the next call asks again.
  }
}
