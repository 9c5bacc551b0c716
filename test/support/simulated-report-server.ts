import { EnvoyRecord } from '../../actors/envoy/record.ts';
import {
  decideReport,
  firstRecord,
  recordCheckIn,
  settledForAnswer,
} from '../../actors/envoy/rules.ts';
import { AgentError } from '../../agent/errors.ts';
import type { ReportRequest } from '../../agent/protocol/gen/vigo/v1/agent.ts';
import { SignedRequest } from '../../agent/protocol/gen/vigo/v1/envelope.ts';
import { methods } from '../../agent/protocol/methods.ts';
import type { Channel } from '../../agent/transport.ts';
import type { FakeServerChannel } from '../agent/support/fake-server-channel.ts';

export type Crash = 'before' | 'after' | 'store-lost';

/**
 * SimulatedReportServer: what becomes of reports in a server that crashes. The decisions are the
 * server's own (actors/envoy/rules.ts); store and database are lists. Check-ins are answered by the
 * fake server around it.
 */
export class SimulatedReportServer implements Channel {
  /** What reached the database, in order of arrival. */
  readonly database: ReportRequest[] = [];
  /** Asked at each report: how the server dies at it. */
  crash: () => Crash | undefined = () => undefined;
  /** Asked at each check-in: whether the store has been written to the database meanwhile. */
  settles: () => boolean = () => true;
  readonly #front: FakeServerChannel;
  #record = EnvoyRecord.empty();
  /** Durable in the store, not yet in the database. */
  #outbox: ReportRequest[] = [];
  #crashes = 0;

  constructor(front: FakeServerChannel) {
    this.#front = front;
  }

  get crashes(): number {
    return this.#crashes;
  }

  async call(path: string, bytes: Uint8Array): Promise<Uint8Array> {
    if (this.#front.away || path.endsWith('/ReportTraits')) return this.#front.call(path, bytes);
    const { body } = SignedRequest.decode(bytes);
    if (path.endsWith('/Report')) return this.#report(methods.Report.body.decode(body));
    if (path.endsWith('/CheckIn')) {
      recordCheckIn(this.#record, methods.CheckIn.body.decode(body), 0);
      if (this.settles()) this.#settle();
      this.#front.settled = settledForAnswer(this.#record);
    }
    return this.#front.call(path, bytes);
  }

  close(): void {
    this.#front.close();
  }

  /** The database as it was after so many reports; the store is rebuilt from it. */
  restoreBackup(reports: number): void {
    this.database.length = reports;
    this.#loseStore();
  }

  #report(report: ReportRequest): Uint8Array {
    const crash = this.crash();
    if (crash === 'before') return this.#die();
    if (decideReport(this.#record, report.reportSequence) === 'keep') {
      this.#record.durableReportSequence = report.reportSequence;
      this.#outbox.push(report);
    }
    if (crash === 'after') return this.#die();
    if (crash === 'store-lost') {
      this.#loseStore();
      return this.#die();
    }
    return methods.Report.response
      .encode({
        protocolVersion: 1,
        durableReportSequence: this.#record.durableReportSequence,
        storeId: this.#front.storeId,
        traceparent: '',
      })
      .finish();
  }

  #loseStore(): void {
    this.#outbox = [];
    this.#front.storeId += 1;
    const settledReportSequence = this.database.at(-1)?.reportSequence ?? 0;
    const identity = { hostname: '', publicKey: new Uint8Array(32), revoked: false };
    this.#record = firstRecord(EnvoyRecord.empty(), { ...identity, settledReportSequence });
  }

  #die(): never {
    this.#crashes += 1;
    throw new AgentError('AGENT_SERVER_UNREACHABLE', 'crashed');
  }

  #settle(): void {
    this.database.push(...this.#outbox.splice(0));
    this.#record.settledReportSequence = this.database.at(-1)?.reportSequence ?? 0;
  }
}
