import {
  ConvergenceState,
  ReportRequest,
  ResourceAction,
} from '../../agent/protocol/gen/vigo/v1/agent.ts';
import type { SignedRehearsal } from '../../agent/protocol/gen/vigo/v1/bundle.ts';
import { methods } from '../../agent/protocol/methods.ts';
import type { ReportName } from './signed-ahead.ts';

const agentVersion = 'vigobench';
const resources = 100;
const changedResources = 3;
const noBytes = new Uint8Array(0);

/** What an envoy has of the policy, as the server last gave it. */
export interface HeldPolicy {
  readonly policyVersion: number;
  readonly bundleRoot: Uint8Array;
  readonly expiresAtMs: number;
}

export function checkInBody(
  policy: HeldPolicy,
  traitsHash: Uint8Array,
  reports: { readonly highest: number; readonly oldestHeld: number },
): Uint8Array {
  return methods.CheckIn.body
    .encode({
      policyVersion: policy.policyVersion,
      bundleRoot: policy.bundleRoot,
      traitsHash,
      state: ConvergenceState.CONVERGENCE_STATE_CONVERGED,
      reportSequence: reports.highest,
      agentVersion,
      bundleExpiresAtMs: policy.expiresAtMs,
      oldestReportSequence: reports.oldestHeld,
      secretsEpoch: 0,
      update: undefined,
      auditSize: 0,
      auditMark: 0,
      auditCosignature: noBytes,
    })
    .finish();
}

const results = Array.from({ length: changedResources }, (_, at) => ({
  id: `bench-a/file-${at}`,
  type: 'file',
  action: ResourceAction.RESOURCE_ACTION_UPDATED,
  reason: 'content differed',
  diff: '-worker_connections 512;\n+worker_connections 1024;\n',
  errorCode: '',
  durationMs: 3,
  assumed: false,
}));

/** A report of the size that a few repaired files make. */
export function reportBody(policy: HeldPolicy, name: ReportName): Uint8Array {
  return ReportRequest.encode(reportOf(policy, name)).finish();
}

/** The answer to a plan's question: the same files would be repaired. */
export function rehearsalBody(
  policy: HeldPolicy,
  name: ReportName,
  { manifest }: SignedRehearsal,
): Uint8Array {
  const { planId = noBytes, bundleRoot = noBytes } = manifest ?? {};
  const answer = { dryRun: true, bundleRoot, rehearsalPlanId: planId };
  return ReportRequest.encode({ ...reportOf(policy, name), ...answer }).finish();
}

function reportOf(policy: HeldPolicy, name: ReportName): ReportRequest {
  return {
    reportSequence: name.sequence,
    runId: name.runId,
    policyVersion: policy.policyVersion,
    bundleRoot: policy.bundleRoot,
    startedAtMs: name.startedAtMs,
    durationMs: 25,
    state: ConvergenceState.CONVERGENCE_STATE_CHANGED,
    dryRun: false,
    policyChanged: false,
    summary: {
      total: resources,
      unchanged: resources - changedResources,
      created: 0,
      updated: changedResources,
      deleted: 0,
      skipped: 0,
      blocked: 0,
      failed: 0,
    },
    results,
    offline: false,
    incidents: [],
    rehearsalPlanId: noBytes,
  };
}

/** A small traits document, canonical JSON: keys sorted, no white space. */
export function traitsDocument(hostname: string): Uint8Array {
  const document = {
    hardware: { cpu_count: 2, memory_mb: 2048 },
    identity: { hostname },
    os: { family: 'debian', kernel: 'Linux', name: 'debian', version: '12' },
  };
  return new TextEncoder().encode(JSON.stringify(document));
}
