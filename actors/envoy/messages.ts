import type {
  CheckInRequest,
  ResolveSecretsRequest,
} from '../../agent/protocol/gen/vigo/v1/agent.ts';
import type { SignedRequest } from '../../agent/protocol/gen/vigo/v1/envelope.ts';
import type { FetchReleaseRequest } from '../../agent/protocol/gen/vigo/v1/release.ts';
import type { Address } from '../../runtime/actor.ts';
import type { Refusal, ReportedOutcome } from './rules.ts';

/** The encoded response message of the method, or why there is none. */
export type Answer = Uint8Array | Refusal;

/** An envoy's actor lives on the fleet shard that holds its connection. Key: the UUID, lower case. */
export type EnvoyMessages = {
  /** Verifies the signature, the time window and the sequence, records last seen, answers with policy. */
  checkIn: { payload: { request: SignedRequest; body: CheckInRequest }; reply: Answer };
  /** Replies when the report is durable. `body` of the request is kept as it came. */
  report: {
    payload: { request: SignedRequest; reportSequence: number; outcome: ReportedOutcome };
    reply: Answer;
  };
  reportTraits: { payload: { request: SignedRequest; traitsJson: Uint8Array }; reply: Answer };
  /** Sealed values of references in the envoy's own bundle. */
  resolveSecrets: {
    payload: { request: SignedRequest; body: ResolveSecretsRequest };
    reply: Answer;
  };
  /** A part of an artefact that is being rolled out, or when to ask again. */
  fetchRelease: {
    payload: { request: SignedRequest; body: FetchReleaseRequest };
    reply: Answer;
  };
  /** From the sink: reports up to this sequence are in SQL. */
  settled: { payload: { reportSequence: number }; reply: undefined };
  /** From enrollment: refuse from now on and drop the connection. */
  revoked: { payload: { reason: string }; reply: undefined };
};

export function envoyAddress(envoyId: string): Address<EnvoyMessages> {
  return { kind: 'envoy', key: envoyId };
}
