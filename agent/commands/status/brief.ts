import { relative, type TerminalText } from '../terminal-text.ts';
import type { StatusDocument } from './document.ts';
import { updateTrouble } from './update.ts';

/** Troubled resources that the short form names. */
const namedLimit = 3;

/** One line, and a second one when something wants attention: for login banners. */
export function writeBrief(text: TerminalText, status: StatusDocument, nowMs: number): void {
  text.line(`vigo: ${stateLine(status, nowMs)}`, isFine(status) ? 'green' : 'yellow');
  const trouble = troubleLine(status, nowMs);
  if (trouble !== undefined) text.line(`vigo: ${trouble}`, 'yellow');
}

function isFine(status: StatusDocument): boolean {
  const { agent, policy, lastRun, serverReachable } = status;
  if (updateTrouble(status) !== undefined) return false;
  const bad = (lastRun?.summary.failed ?? 0) + (lastRun?.summary.blocked ?? 0);
  return agent.running && policy?.expired === false && bad === 0 && serverReachable !== false;
}

function stateLine(status: StatusDocument, nowMs: number): string {
  const { agent, lastRun, policy, policyProblem, identityProblem } = status;
  if (identityProblem !== undefined) return 'this machine is not registered with a server';
  if (policyProblem !== undefined) return `no policy is enforced: ${policyProblem}`;
  const stopped = agent.running ? '' : 'NOT RUNNING; ';
  if (policy === undefined || lastRun === undefined) return `${stopped}no policy yet`;
  if (policy.expired) return `${stopped}policy ${policy.version} has EXPIRED and is not enforced`;
  const { total, failed, blocked, skipped } = lastRun.summary;
  const bad = failed + blocked;
  const state =
    bad > 0
      ? `${failed} failed, ${blocked} blocked of ${total} resources`
      : `${total - skipped} of ${total} resources as declared`;
  const dry = lastRun.dryRun ? ', dry run' : '';
  return `${stopped}${state} (policy ${policy.version}${dry}, ${relative(lastRun.startedAtMs, nowMs)})`;
}

function troubleLine(status: StatusDocument, nowMs: number): string | undefined {
  const { lastRun, serverReachable, lastContactMs, pendingResults } = status;
  const bad = lastRun?.resources.filter(
    ({ action }) => action === 'failed' || action === 'blocked',
  );
  const names = bad?.slice(0, namedLimit).map(({ id, errorCode }) => `${id} [${errorCode}]`) ?? [];
  const more = (bad?.length ?? 0) - names.length;
  const update = updateTrouble(status);
  const parts = [
    ...names,
    ...(more > 0 ? [`${more} more`] : []),
    ...(serverReachable === false ? [serverPart(lastContactMs, pendingResults, nowMs)] : []),
    ...(update === undefined ? [] : [update]),
  ];
  return parts.length === 0 ? undefined : `${parts.join(', ')}: see vigo status`;
}

function serverPart(lastContactMs: number | undefined, pending: number, nowMs: number): string {
  const when = lastContactMs === undefined ? 'never' : `last ${relative(lastContactMs, nowMs)}`;
  return `the server does not answer (${when}; ${pending} results wait)`;
}
