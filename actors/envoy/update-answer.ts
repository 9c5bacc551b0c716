import type { Signer } from '../../agent/protocol/crypto.ts';
import type { CheckInRequest } from '../../agent/protocol/gen/vigo/v1/agent.ts';
import type { SignedRequest } from '../../agent/protocol/gen/vigo/v1/envelope.ts';
import {
  type AgentUpdate,
  type FetchReleaseRequest,
  FetchReleaseResponse,
  type SignedUpdate,
  UpdatePhase,
} from '../../agent/protocol/gen/vigo/v1/release.ts';
import { protocolVersion, releasePartLimit } from '../../agent/protocol/limits.ts';
import { releaseVersionForm, signUpdate } from '../../agent/protocol/release.ts';
import type { Turn } from '../../runtime/actor.ts';
import type { Codec, Table } from '../../runtime/store.ts';
import { envoyLimit } from '../policy/tables.ts';
import { releasesAddress } from '../releases/messages.ts';
import type { Answer } from './messages.ts';
import type { PolicyView } from './policy-view.ts';
import type { EnvoyRecord } from './record.ts';
import type { UpdateView } from './update-view.ts';

/** An order is begun within so long, or given again. */
const orderLifeMs = 3_600_000;
const codeLimit = 64;
const messageLimit = 1000;

/** How an envoy's update ended, for the revision of the rollout in which it did. */
interface UpdateEnd {
  readonly revision: number;
}

const codec: Codec<UpdateEnd> = {
  encode: ({ revision }) => {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(revision);
    return bytes;
  },
  decode: (bytes) => ({ revision: bytes.length === 8 ? Buffer.from(bytes).readDoubleLE() : 0 }),
};

/** By UUID, in the store of the shard that owns the envoy. Only of envoys that did not get there. */
export const envoyUpdateTable: Table<UpdateEnd> = {
  name: 'envoy-updates',
  codec,
  rowLimit: envoyLimit,
};

interface UpdateDependencies {
  readonly updates: UpdateView;
  readonly policy: Pick<PolicyView, 'identity'>;
  readonly signer: Signer;
}

const ends: ReadonlySet<UpdatePhase> = new Set([
  UpdatePhase.UPDATE_PHASE_FAILED,
  UpdatePhase.UPDATE_PHASE_RETURNED,
]);

/**
 * Takes what an envoy says of its update: kept for people, and so that it is not ordered again. The
 * caller answers only when this is durable: then the envoy says it no more.
 */
export function takeUpdateNews(
  { updates }: UpdateDependencies,
  turn: Turn<EnvoyRecord>,
  news: AgentUpdate,
): void {
  if (!releaseVersionForm.test(news.version)) return;
  const { version, phase, atMs } = news;
  const code = news.code.slice(0, codeLimit);
  const message = news.message.slice(0, messageLimit);
  const body = { envoyId: turn.key, version, phase, code, message, atMs };
  turn.emit({ type: 'update.reported', atMs: turn.state.lastSeenMs, body });
  if (!ends.has(phase)) return;
  const rollout = updates.ofVersion(version);
  if (rollout === undefined) return;
  turn.put(envoyUpdateTable, turn.key, { revision: rollout.row.revision });
  turn.tell(releasesAddress(), 'news', { envoyId: turn.key, version, code });
}

/** The order to run another version; undefined = this envoy runs what it should. */
export function answerUpdate(
  { updates, policy, signer }: UpdateDependencies,
  turn: Turn<EnvoyRecord>,
  request: Pick<SignedRequest, 'envoyId'>,
  body: Pick<CheckInRequest, 'agentVersion' | 'update'>,
): SignedUpdate | undefined {
  const rollout = updates.forVersion(body.agentVersion);
  if (rollout === undefined || rollout.row.paused) return undefined;
  // What was just told is not in the store yet.
  if (body.update !== undefined && ends.has(body.update.phase)) return undefined;
  const { row, releases, reaches } = rollout;
  const hostname = policy.identity(turn.key)?.hostname ?? '';
  if (!reaches(turn.key, hostname, body.agentVersion)) return undefined;
  if (turn.store.get(envoyUpdateTable, turn.key)?.revision === row.revision) return undefined;
  const nowMs = turn.state.lastSeenMs;
  const order = {
    envoyId: request.envoyId,
    version: row.version,
    issuedAtMs: nowMs,
    expiresAtMs: nowMs + orderLifeMs,
    trialCheckIns: row.trialCheckIns,
    trialSeconds: row.trialSeconds,
  };
  const signature = Buffer.from(signUpdate(order, signer));
  return { order, signature, releases: [...releases] };
}

/** A part of an artefact for an envoy whose request was accepted, or when to ask again. */
export async function answerFetch(
  { updates }: Pick<UpdateDependencies, 'updates'>,
  turn: Turn<EnvoyRecord>,
  request: SignedRequest,
  { downloadSha256, offset, length }: FetchReleaseRequest,
): Promise<Answer> {
  const artefact = updates.artefact(Buffer.from(downloadSha256).toString('hex'));
  if (artefact === undefined || offset >= artefact.downloadSize)
    return { code: 'REQUEST_RELEASE_UNKNOWN', details: {}, retryAfterMs: 0 };
  const wanted = Math.min(length, releasePartLimit, artefact.downloadSize - offset);
  const { clock } = turn.ports;
  const retryAfterMs = updates.gate.admit(turn.key, wanted, clock.monotonicMs());
  if (retryAfterMs > 0) return { code: 'REQUEST_RELEASE_BUSY', details: {}, retryAfterMs };
  const data = await updates.readPart(artefact.file, offset, wanted);
  if (offset + data.length >= artefact.downloadSize)
    updates.gate.done(turn.key, clock.monotonicMs());
  return FetchReleaseResponse.encode({
    protocolVersion,
    data: Buffer.from(data),
    traceparent: request.traceparent,
  }).finish();
}
