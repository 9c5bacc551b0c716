import type { ThreadFacts } from './messages.ts';
import { type Finding, problem, warning } from './view.ts';

export const threadChecks = ['state-space', 'sink-lag', 'slow-thread'] as const;

const warnShare = 0.8;
const fullShare = 0.95;
const lagWarnMs = 60_000;
const lagProblemMs = 600_000;
const slowMs = 500;

/** Of the threads of a running server: their stores, the way into SQL, their pace. */
export function threadFindings({ stores, sink, delays }: ThreadFacts): Finding[] {
  return [...stores.flatMap(storeFinding), ...sinkFinding(sink), ...delays.flatMap(slowFinding)];
}

function storeFinding(store: ThreadFacts['stores'][number]): Finding[] {
  const share = store.usedBytes / store.limitBytes;
  if (!(share > warnShare)) return [];
  const words = {
    finding: `the state of ${store.thread} fills ${Math.round(share * 100)} % of its map`,
    why: 'a full map refuses reports and new policy until there is room',
    remedy:
      'look for waiting events (vigocli status); while the server is stopped, its directory "state" may be ' +
      'deleted: it is rebuilt from the database and the envoys',
  };
  return [share > fullShare ? problem('state-space', words) : warning('state-space', words)];
}

function sinkFinding(sink: ThreadFacts['sink']): Finding[] {
  if (sink === undefined) {
    return [
      problem('sink-lag', {
        finding: 'the thread that writes the database does not answer',
        why: 'nothing is published and no report is settled meanwhile',
        remedy: 'look into the log of vigosrv for the reason; restart it when it does not recover',
      }),
    ];
  }
  if (sink.lagMs <= lagWarnMs) return [];
  const words = {
    finding: `${sink.waitingEvents} events wait for the database, the oldest for ${seconds(sink.lagMs)}`,
    why: 'runs and events are seen late, and envoys keep their reports until they are written',
    remedy: 'check the disk of the database: free space, speed, and who else uses it',
  };
  return [sink.lagMs > lagProblemMs ? problem('sink-lag', words) : warning('sink-lag', words)];
}

function slowFinding({ thread, p99Ms }: ThreadFacts['delays'][number]): Finding[] {
  if (p99Ms <= slowMs) return [];
  return [
    warning('slow-thread', {
      finding: `the thread ${thread} answers up to ${Math.round(p99Ms)} ms late`,
      why: 'check-ins and requests wait for that long',
      remedy: 'give the machine more processors, or let agents check in less often',
    }),
  ];
}

function seconds(ms: number): string {
  return ms < 120_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`;
}
