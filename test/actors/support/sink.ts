import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { AuditEvent } from '../../../actors/audit/event.ts';
import type { FleetEntry } from '../../../actors/sink/fleet-batch.ts';
import type { SinkRecord } from '../../../actors/sink/messages.ts';
import { SinkWriter } from '../../../actors/sink/writer.ts';
import { ReportRequest, ResourceAction } from '../../../agent/protocol/gen/vigo/v1/agent.ts';
import { startMs } from './environment.ts';
import { temporaryDirectory } from './temporary.ts';

const certificateLifeMs = 3650 * 86_400_000;

type Teardown = { teardown(run: () => void): void };

export function testSink(t: Teardown, runsPerEnvoy = 100): { writer: SinkWriter; file: string } {
  const file = join(temporaryDirectory(t), 'vigo.db');
  const writer = new SinkWriter({ file, runsPerEnvoy });
  t.teardown(() => writer.close());
  return { writer, file };
}

/** A UUID made from a number. */
export function envoyIdOf(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
}

export function envoyRecord(number: number, hostname = `host-${number}`) {
  return {
    record: 'envoy',
    identity: {
      envoyId: envoyIdOf(number),
      hostname,
      publicKey: createHash('sha256').update(hostname).digest(),
      revoked: false,
      enrolledAtMs: startMs,
      settledReportSequence: 0,
    },
    agentVersion: '0.1.0',
    certificateSerial: String(number),
    certificateIssuedMs: startMs,
    certificateEndsMs: startMs + certificateLifeMs,
  } as const satisfies SinkRecord;
}

export function auditEvent(id: string, type = 'token.created'): AuditEvent {
  return { id, atMs: startMs, type, actor: 'admin:test', subject: id, details: { note: id } };
}

/** An outbox entry with a report of two resources. */
export function reportEntry(
  sequence: number,
  envoy: number,
  reportSequence: number,
  change: { storeId?: number; receivedAtMs?: number } = {},
): FleetEntry {
  const result = {
    id: 'motd/message',
    type: 'file',
    action: ResourceAction.RESOURCE_ACTION_UPDATED,
    reason: 'content differs',
    diff: '',
    errorCode: '',
    durationMs: 1,
    assumed: false,
  };
  const none = { created: 0, deleted: 0, skipped: 0, blocked: 0, failed: 0 };
  const report = ReportRequest.encode({
    reportSequence,
    runId: randomBytes(16),
    policyVersion: 3,
    bundleRoot: randomBytes(32),
    startedAtMs: startMs,
    durationMs: 12,
    state: 2,
    dryRun: false,
    policyChanged: false,
    offline: false,
    summary: { ...none, total: 2, updated: 1, unchanged: 1 },
    results: [
      result,
      {
        ...result,
        id: 'motd/other',
        action: ResourceAction.RESOURCE_ACTION_FAILED,
        errorCode: 'AGENT_X',
      },
    ],
    incidents: [],
    rehearsalPlanId: Buffer.alloc(0),
  }).finish();
  const receivedAtMs = change.receivedAtMs ?? startMs;
  const body = { envoyId: envoyIdOf(envoy), report, receivedAtMs };
  const event = { type: 'run.reported', atMs: startMs, body };
  return { storeId: change.storeId ?? 7, sequence, event };
}
