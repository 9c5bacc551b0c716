import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Examination,
  type Finding,
  inOrder,
  problem,
  warning,
} from '../../../actors/doctor/view.ts';
import { AdminError } from '../../errors.ts';
import {
  type Connection,
  connectionOf,
  localHome,
  type ServerPlace,
  serverOf,
} from '../connection.ts';
import { exitCodes } from '../exit-codes.ts';
import { RemoteError } from '../remote-error.ts';
import { runServerProgram } from '../server-program.ts';
import type { Session } from '../session.ts';
import { connectionChecks, connectionFindings, type Place } from './connection-rules.ts';
import { probe } from './probe.ts';

const dayMs = 86_400_000;
const expiryWarnMs = 7 * dayMs;
const homeFiles = ['tls/ca.cert.pem', 'keys/admin-token'] as const;

export interface Diagnosis extends Examination {
  readonly server: string;
  readonly exitCode: number;
}

/** From here to the server, and then what the server finds about itself. Throws CLI_USAGE, CLI_NO_CONTEXT. */
export async function examine(it: Session, nowMs: number): Promise<Diagnosis> {
  const home = localHome(it.options, process.env);
  const found: Finding[] = [];
  const checked: string[] = ['settings-of-vigocli'];
  let place: ServerPlace | undefined;
  try {
    place = serverOf(it.options, process.env);
  } catch (error) {
    found.push(fromError('settings-of-vigocli', error));
  }
  if (place === undefined) return await withHome('-', home, found, checked, exitCodes.unreachable);
  const server = `${place.host}:${place.port}`;
  const where: Place = { host: place.host, port: place.port, running: runFile(home) };
  checked.push(...connectionChecks);
  const seen = await probe(place.host, place.port, place.caPem);
  found.push(...connectionFindings(where, seen, nowMs));
  const isUntrusted = seen.certificate?.refused !== undefined;
  if (isUntrusted || seen.http?.isVigo !== true) {
    const code = isUntrusted ? exitCodes.refused : exitCodes.unreachable;
    return await withHome(server, home, found, checked, code);
  }
  checked.push('token', 'token-file');
  const access = await examineAccess(it, nowMs);
  found.push(...access.found);
  if (!access.isLetIn) return await withHome(server, home, found, checked, exitCodes.refused);
  try {
    const own = await it.client.get<Examination>('/api/v1/doctor');
    return finished(server, [...found, ...own.findings], [...checked, ...own.checked]);
  } catch (error) {
    found.push(fromError('server', error));
    return finished(server, found, checked);
  }
}

/** The server cannot be asked; its home on this machine can be looked at. */
async function withHome(
  server: string,
  home: string | undefined,
  found: readonly Finding[],
  checked: readonly string[],
  exitCode: number,
): Promise<Diagnosis> {
  if (home === undefined) return { ...finished(server, found, checked), exitCode };
  try {
    const own = await runServerProgram<Examination>(['doctor', '--home', home]);
    const all = finished(server, [...found, ...own.findings], [...checked, ...own.checked]);
    return { ...all, exitCode };
  } catch {
    // The home is not there or not ours to read, which the connection's finding says already.
    return { ...finished(server, found, checked), exitCode };
  }
}

function finished(
  server: string,
  findings: readonly Finding[],
  checked: readonly string[],
): Diagnosis {
  const isSick = findings.some(({ severity }) => severity === 'problem');
  const exitCode = isSick ? exitCodes.error : exitCodes.done;
  return { server, findings: inOrder(findings), checked, exitCode };
}

interface WhoAmI {
  readonly name: string;
  readonly expiresAtMs: number | null;
}

async function examineAccess(
  it: Session,
  nowMs: number,
): Promise<{ found: Finding[]; isLetIn: boolean }> {
  let connection: Connection;
  try {
    connection = connectionOf(it.options, process.env);
  } catch (error) {
    return { found: [fromError('token', error)], isLetIn: false };
  }
  const found = exposedToken(it, connection);
  try {
    const me = await it.client.get<WhoAmI>('/api/v1/auth/whoami');
    const leftMs = (me.expiresAtMs ?? Number.POSITIVE_INFINITY) - nowMs;
    if (leftMs < expiryWarnMs) {
      const finding = `the token of ${me.name} ends on ${new Date(nowMs + leftMs).toISOString()}`;
      const why = 'from then on every command is refused';
      const remedy = 'log in again, or make a new one: vigocli auth create-token';
      found.push(warning('token', { finding, why, remedy }));
    }
    return { found, isLetIn: true };
  } catch (error) {
    return { found: [...found, tokenFinding(error)], isLetIn: false };
  }
}

function tokenFinding(error: unknown): Finding {
  if (!(error instanceof RemoteError)) return fromError('token', error);
  const { detail, remedy } = error.problem;
  const isExpired = /expired|ended/.test(detail);
  return problem('token', {
    finding: `the server does not take the token: ${detail}`,
    why: 'every command is refused',
    remedy: isExpired
      ? 'log in again, or have a new token made: vigocli auth create-token'
      : remedy,
  });
}

/** Whoever reads the token is its owner. */
function exposedToken(it: Session, { context }: Connection): Finding[] {
  const home = localHome(it.options, process.env);
  const { VIGO_TOKEN_FILE: named } = process.env;
  const file =
    it.options.tokenFile ??
    (context === 'default' ? named : undefined) ??
    (home === undefined ? undefined : join(home, homeFiles[1]));
  if (file === undefined) return [];
  try {
    const mode = statSync(file).mode & 0o777;
    if ((mode & 0o077) === 0) return [];
    return [
      problem('token-file', {
        finding: `other accounts may read the token in ${file} (mode ${mode.toString(8)})`,
        why: 'they can do whatever you can',
        remedy: `chmod 600 ${file}; when others use this machine, revoke the token and make another`,
      }),
    ];
  } catch {
    return [];
  }
}

function fromError(check: string, error: unknown): Finding {
  const finding = error instanceof Error ? error.message : String(error);
  const remedy =
    error instanceof AdminError
      ? error.remedy
      : error instanceof RemoteError
        ? error.problem.remedy
        : '';
  return problem(check, { finding, why: 'commands that need the server do not work', remedy });
}

function runFile(home: string | undefined): Place['running'] {
  if (home === undefined) return undefined;
  try {
    return JSON.parse(readFileSync(join(home, 'run.json'), 'utf8')) as Place['running'];
  } catch {
    return undefined;
  }
}
