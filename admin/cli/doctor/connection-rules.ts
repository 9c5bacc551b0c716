import { type Finding, problem, warning } from '../../../actors/doctor/view.ts';
import type { Probe } from './probe.ts';

export const connectionChecks = ['network', 'tls', 'server-certificate', 'service', 'clock'];

const skewWarnMs = 10_000;
const skewProblemMs = 300_000;

/** Where it was knocked. */
export interface Place {
  readonly host: string;
  readonly port: number;
  /** Of a server on this machine, as its run.json says. */
  readonly running: { readonly apiPort: number; readonly grpcPort: number } | undefined;
}

/** What stands between this machine and the server, in words. */
export function connectionFindings(place: Place, seen: Probe, nowMs: number): Finding[] {
  if (seen.network !== undefined) return [unreachable(place, seen.network)];
  if (seen.tls !== undefined) return [noTls(place, seen.tls)];
  const { certificate, http } = seen;
  const refused = certificate?.refused === undefined ? [] : [certificateFinding(seen, nowMs)];
  if (http?.isVigo !== true) return [...refused, otherService(place, http?.status)];
  return [...refused, ...clockFinding(http.dateMs, nowMs)];
}

function unreachable({ host, port, running }: Place, code: string): Finding {
  const where = `${host}:${port}`;
  const why = 'no command that needs the server works';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    const remedy = 'check the spelling and the resolver; an address works, too';
    return problem('network', {
      finding: `the name ${host} is not known here (${code})`,
      why,
      remedy,
    });
  }
  if (code === 'ECONNREFUSED') {
    const other =
      running !== undefined && running.apiPort !== port
        ? `the server here listens on port ${running.apiPort}: --server ${host}:${running.apiPort}`
        : 'start it: vigosrv start; or name another port: --server HOST:PORT (8443 by default)';
    return problem('network', { finding: `nothing listens on ${where}`, why, remedy: other });
  }
  const remedy = 'check firewalls and routes between here and there, and that the machine is up';
  return problem('network', { finding: `${where} does not answer (${code})`, why, remedy });
}

function noTls({ host, port }: Place, reason: string): Finding {
  return problem('tls', {
    finding: `what answers on ${host}:${port} speaks no TLS 1.3: ${reason}`,
    why: 'it is another program, or something between here and the server takes TLS apart',
    remedy: 'name the port of the REST API: --server HOST:PORT (8443 by default)',
  });
}

function certificateFinding({ certificate, http }: Probe, nowMs: number): Finding {
  const {
    refused = '',
    subject,
    issuer,
    fingerprint,
    fromMs,
    untilMs,
    names,
  } = certificate ?? {
    subject: '',
    issuer: '',
    fingerprint: '',
    fromMs: 0,
    untilMs: 0,
    names: '',
  };
  const why = 'vigocli sends its token to nobody who cannot prove to be the server';
  const check = 'server-certificate';
  if (fromMs > nowMs) {
    const remedy = 'set the clock of this machine: timedatectl set-ntp true';
    const finding = `the certificate is valid from ${day(fromMs)} on, and here it is ${day(nowMs)}`;
    return problem(check, { finding, why, remedy });
  }
  if (untilMs < nowMs) {
    const isClock = http !== undefined && Math.abs(http.dateMs - nowMs) > skewProblemMs;
    const remedy = isClock
      ? 'the clocks differ: set the clock of this machine'
      : 'restart vigosrv: it issues itself a new one';
    return problem(check, { finding: `the certificate ended on ${day(untilMs)}`, why, remedy });
  }
  if (refused === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const finding = `the certificate is of other names: ${names}`;
    const remedy = 'use one of these, or add yours to server.tls_sans in server.yaml and restart';
    return problem(check, { finding, why, remedy });
  }
  const finding = `the certificate of "${subject}" was issued by another authority, "${issuer}" (${refused})`;
  const remedy =
    `copy tls/ca.cert.pem of that server and name it with --ca-file; compare first: SHA-256 ${fingerprint}. ` +
    'When the server was not made anew, somebody may stand in between';
  return problem(check, { finding, why, remedy });
}

function otherService({ host, port, running }: Place, status: number | undefined): Finding {
  const isAgentPort = running?.grpcPort === port;
  const what = isAgentPort
    ? 'that is the port of the agents'
    : status === undefined
      ? 'it speaks no HTTP/1.1; the port of the agents (1530) looks like that'
      : `it answers with status ${status}`;
  return problem('service', {
    finding: `what answers on ${host}:${port} is not the REST API of a Vigo server: ${what}`,
    why: 'no command that needs the server works',
    remedy: `name the port of the REST API: --server HOST:${running?.apiPort ?? 8443}`,
  });
}

/** The answer's Date has whole seconds. */
function clockFinding(dateMs: number, nowMs: number): Finding[] {
  const skewMs = nowMs - dateMs;
  if (!(Math.abs(skewMs) > skewWarnMs)) return [];
  const seconds = Math.round(Math.abs(skewMs) / 1000);
  const words = {
    finding: `the clock here is ${seconds} s ${skewMs > 0 ? 'ahead of' : 'behind'} the server's`,
    why: 'tokens and certificates seem to end too early or too late, and ages are wrong',
    remedy: 'timedatectl set-ntp true, on whichever of the two is wrong',
  };
  return [Math.abs(skewMs) > skewProblemMs ? problem('clock', words) : warning('clock', words)];
}

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
}
