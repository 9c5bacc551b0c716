import type { PlainError } from './channel.ts';

/**
 * What crosses threads: a batch is an array of runs. Messages of one type to one actor that follow
 * each other, and answers that do, are one run, so that names are encoded once and a run's values
 * are one array. Arrays, because their encoding carries no field names.
 */
export type Run =
  | [op: 0, payloads: unknown[], kind: string, key: string, type: string, trace: string | null]
  | [
      op: 1,
      payloads: unknown[],
      kind: string,
      key: string,
      type: string,
      trace: string | null,
      mail: boolean,
      ids: number[],
    ]
  | [op: 2, values: unknown[], ids: number[]]
  | [op: 3, id: number, error: PlainError]
  | [op: 4, count: number]
  | [op: 5, name: string, body: unknown];

export const tells = 0;
export const asks = 1;
export const values = 2;
export const failure = 3;
export const taken = 4;
export const control = 5;

/** True when a message of these names may join the run. */
export function isSameRun(
  run: Run & { 0: typeof tells | typeof asks },
  kind: string,
  key: string,
  type: string,
  trace: string | null,
): boolean {
  return run[4] === type && run[3] === key && run[2] === kind && run[5] === trace;
}

/** The run's messages, each as a run of its own. */
export function singles(run: Run): Run[] {
  switch (run[0]) {
    case tells: {
      const [op, payloads, ...to] = run;
      return payloads.map((payload): Run => [op, [payload], ...to]);
    }
    case asks: {
      const [op, payloads, kind, key, type, trace, mail, ids] = run;
      return payloads.map(
        (payload, index): Run => [
          op,
          [payload],
          kind,
          key,
          type,
          trace,
          mail,
          [ids[index] as number],
        ],
      );
    }
    case values:
      return run[1].map((value, index): Run => [run[0], [value], [run[2][index] as number]]);
    default:
      return [run];
  }
}
