/**
 * What it costs the server that an envoy watches the audit log, per check-in while the log's checkpoint
 * is the one that the envoy holds, beside the signature check that every check-in needs, in one run:
 * CPU time of the comparison, and of decoding the two fields. `node perf/audit-watch.ts`.
 */
import { availableParallelism } from 'node:os';
import sodium from 'sodium-native';
import { auditTables, type CheckpointRow } from '../actors/audit/tables.ts';
import { AuditView } from '../actors/envoy/audit-view.ts';
import { CheckInRequest } from '../agent/protocol/gen/vigo/v1/agent.ts';
import { msgpackCodec } from '../runtime/codecs.ts';
import { nodePorts } from '../runtime/ports/node-ports.ts';
import type { StoreReader } from '../runtime/store.ts';

const rounds = 300_000;
const verifyRounds = 3_000;
/** The median of so many runs. */
const repeats = 7;

/** Nanoseconds of CPU time per call. */
function cost(calls: number, run: () => void): number {
  const measured = Array.from({ length: repeats }, () => {
    const before = process.cpuUsage();
    for (let call = 0; call < calls; call++) run();
    const { user, system } = process.cpuUsage(before);
    return ((user + system) * 1000) / calls;
  });
  return measured.sort((a, b) => a - b)[Math.floor(repeats / 2)] ?? 0;
}

function verifyCost(): number {
  const publicKey = Buffer.alloc(32);
  const secretKey = Buffer.alloc(64);
  sodium.crypto_sign_seed_keypair(publicKey, secretKey, Buffer.alloc(32, 1));
  const message = Buffer.alloc(150, 2);
  const signature = Buffer.alloc(64);
  sodium.crypto_sign_detached(signature, message, secretKey);
  return cost(verifyRounds, () => {
    sodium.crypto_sign_verify_detached(signature, message, publicKey);
  });
}

function watchCost(): number {
  const row: CheckpointRow = { size: 123_456, mark: 987_654_321, note: 'note' };
  const store = { get: () => row } as unknown as StoreReader;
  const view = new AuditView(store, auditTables(msgpackCodec), nodePorts().clock);
  const turn = { key: 'envoy', tell: () => undefined };
  const held = { auditSize: row.size, auditMark: row.mark, auditCosignature: new Uint8Array(0) };
  return cost(rounds, () => {
    if (view.answer(turn, held) !== undefined) throw new Error('the checkpoint is the same');
  });
}

function decodeCost(watching: boolean): number {
  const body = CheckInRequest.decode(new Uint8Array(0));
  body.policyVersion = 7;
  body.bundleRoot = Buffer.alloc(32, 1);
  body.traitsHash = Buffer.alloc(16, 2);
  body.state = 1;
  body.agentVersion = '0.1.0';
  if (watching) Object.assign(body, { auditSize: 123_456, auditMark: 987_654_321 });
  const bytes = CheckInRequest.encode(body).finish();
  return cost(rounds, () => {
    CheckInRequest.decode(bytes);
  });
}

const verifyNs = verifyCost();
const compareNs = watchCost();
const decodeNs = decodeCost(true) - decodeCost(false);
const percent = (ns: number): string => `${((ns / verifyNs) * 100).toFixed(2)} %`;
process.stdout.write(
  [
    `node ${process.version}, ${availableParallelism()} cores`,
    `one Ed25519 verification   ${Math.round(verifyNs)} ns`,
    `unchanged checkpoint       ${Math.round(compareNs)} ns = ${percent(compareNs)} of it`,
    `decoding its two fields    ${Math.round(decodeNs)} ns = ${percent(decodeNs)} of it`,
    '',
  ].join('\n'),
);
