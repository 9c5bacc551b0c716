import { createPrivateKey } from 'node:crypto';
import { AgentError } from '../../../agent/errors.ts';
import { nodeSigner, nodeVerifier } from '../../../agent/platform/crypto.ts';
import type { BundleDocument } from '../../../agent/protocol/bundle.ts';
import { bundleRoot, encodeBundle } from '../../../agent/protocol/bundle-document.ts';
import { equalBytes } from '../../../agent/protocol/bytes.ts';
import type { CheckInRequest, ReportRequest } from '../../../agent/protocol/gen/vigo/v1/agent.ts';
import type { AuditNews } from '../../../agent/protocol/gen/vigo/v1/audit.ts';
import type { SignedBundle, SignedRehearsal } from '../../../agent/protocol/gen/vigo/v1/bundle.ts';
import { SignedRequest } from '../../../agent/protocol/gen/vigo/v1/envelope.ts';
import type { SignedUpdate } from '../../../agent/protocol/gen/vigo/v1/release.ts';
import { signManifest } from '../../../agent/protocol/manifest.ts';
import { methods, type SignedMethodName } from '../../../agent/protocol/methods.ts';
import { RequestVerifier } from '../../../agent/protocol/request.ts';
import type { Channel } from '../../../agent/transport.ts';

export const fakeEnvoyId = new Uint8Array(16).fill(7);
const envoySeed = new Uint8Array(32).fill(1);
export const envoySigner = nodeSigner(envoySeed);
/** The same key as PKCS#8. */
export const envoyKeyPem = createPrivateKey({
  key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), envoySeed]),
  format: 'der',
  type: 'pkcs8',
})
  .export({ format: 'pem', type: 'pkcs8' })
  .toString();
export const bundleSigner = nodeSigner(new Uint8Array(32).fill(2));

/** FakeServerChannel: a server's answers without a network; verifies what a server verifies. */
export class FakeServerChannel implements Channel {
  readonly checkIns: CheckInRequest[] = [];
  readonly reports: ReportRequest[] = [];
  readonly traits: string[] = [];
  policy: SignedBundle | undefined;
  rehearsal: SignedRehearsal | undefined;
  update: SignedUpdate | undefined;
  audit: AuditNews | undefined;
  away = false;
  wantTraits = false;
  nextCheckInMs = 10_000;
  storeId = 1;
  settled = 0;
  refuseReport: ((report: ReportRequest) => AgentError | undefined) | undefined;
  readonly #verifier = new RequestVerifier(nodeVerifier());
  readonly #nowMs: () => number;
  #lastSequence = 0;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  async call(path: string, bytes: Uint8Array): Promise<Uint8Array> {
    if (this.away) throw new AgentError('AGENT_SERVER_UNREACHABLE', 'away');
    const method = path.split('/').at(-1) as SignedMethodName;
    const request = SignedRequest.decode(bytes);
    const { publicKey } = envoySigner;
    const verdict = this.#verifier.verify(
      method,
      request,
      publicKey,
      this.#lastSequence,
      this.#nowMs(),
    );
    if (verdict !== 'ok') throw new Error(`the fake server refuses: ${verdict}`);
    this.#lastSequence = request.sequence;
    if (method === 'CheckIn') return this.#checkIn(request.body);
    if (method === 'Report') return this.#report(request.body);
    const { traitsJson } = methods.ReportTraits.body.decode(request.body);
    this.traits.push(new TextDecoder().decode(traitsJson));
    return methods.ReportTraits.response.encode({ protocolVersion: 1, traceparent: '' }).finish();
  }

  close(): void {
    this.away = true;
  }

  #checkIn(body: Uint8Array): Uint8Array {
    const checkIn = methods.CheckIn.body.decode(body);
    this.checkIns.push(checkIn);
    const manifest = this.policy?.manifest;
    const same =
      manifest === undefined ||
      (checkIn.policyVersion === manifest.policyVersion &&
        checkIn.bundleExpiresAtMs === manifest.expiresAtMs);
    const held = manifest !== undefined && equalBytes(checkIn.bundleRoot, manifest.bundleRoot);
    const bundle = held ? { ...this.policy!, document: new Uint8Array(0) } : this.policy;
    return methods.CheckIn.response
      .encode({
        protocolVersion: 1,
        nextCheckInMs: this.nextCheckInMs,
        bundle: same ? undefined : bundle,
        wantTraits: this.wantTraits,
        wantStream: false,
        storeId: this.storeId,
        settledReportSequence: this.settled,
        traceparent: '',
        rehearsal: this.rehearsal,
        update: this.update,
        audit: this.audit,
      })
      .finish();
  }

  #report(body: Uint8Array): Uint8Array {
    const report = methods.Report.body.decode(body);
    const refusal = this.refuseReport?.(report);
    if (refusal !== undefined) throw refusal;
    this.reports.push(report);
    return methods.Report.response
      .encode({
        protocolVersion: 1,
        durableReportSequence: report.reportSequence,
        storeId: this.storeId,
        traceparent: '',
      })
      .finish();
  }
}

export function signedPolicy(
  policyVersion: number,
  document: BundleDocument,
  change: { expiresAtMs?: number; envoyId?: Uint8Array } = {},
): SignedBundle {
  const manifest = {
    envoyId: change.envoyId ?? fakeEnvoyId,
    policyVersion,
    bundleRoot: bundleRoot(document, bundleSigner),
    issuedAtMs: 1,
    expiresAtMs: change.expiresAtMs ?? 0,
    secretsEpoch: 0,
  };
  const signature = signManifest(manifest, bundleSigner);
  return { manifest, signature, document: encodeBundle(document) };
}
