/** What was predicted of one resource on one envoy. */
export interface Expectation {
  readonly id: string;
  readonly type: string;
  /** agent/protocol ResourceAction; undefined: nothing was predicted. */
  readonly action: number | undefined;
  readonly assumed: boolean;
}

/** What a run did. A resource that is not among the actions was as declared, unless the report is partial. */
export interface Outcome {
  readonly actions: ReadonlyMap<string, number>;
  readonly partial: boolean;
}

export interface TypeScore {
  readonly predicted: number;
  readonly matching: number;
  readonly assumed: number;
  /** Of the assumed ones, those that came otherwise: neither right nor wrong. */
  readonly undetermined: number;
  readonly unpredicted: number;
}

export interface Miss {
  readonly id: string;
  readonly type: string;
  readonly predicted: number;
  readonly actual: number;
  readonly assumed: boolean;
}

const asDeclared = 0;

const nothing: TypeScore = {
  predicted: 0,
  matching: 0,
  assumed: 0,
  undetermined: 0,
  unpredicted: 0,
};

/**
 * A prediction is right only when the very action came: an update instead of a creation is a miss. One
 * that was marked as an assumption and came otherwise was undetermined; its miss tells so.
 */
export function compareOutcome(
  expected: readonly Expectation[],
  outcome: Outcome,
): { readonly scores: ReadonlyMap<string, TypeScore>; readonly misses: readonly Miss[] } {
  const scores = new Map<string, TypeScore>();
  const misses: Miss[] = [];
  for (const { id, type, action, assumed } of expected) {
    const actual = outcome.actions.get(id) ?? (outcome.partial ? undefined : asDeclared);
    // What the run did not tell cannot be compared.
    if (actual === undefined) continue;
    const before = scores.get(type) ?? nothing;
    if (action === undefined) {
      scores.set(type, { ...before, unpredicted: before.unpredicted + 1 });
      continue;
    }
    scores.set(type, {
      ...before,
      predicted: before.predicted + 1,
      matching: before.matching + Number(action === actual),
      assumed: before.assumed + Number(assumed),
      undetermined: before.undetermined + Number(assumed && action !== actual),
    });
    if (action !== actual) misses.push({ id, type, predicted: action, actual, assumed });
  }
  return { scores, misses };
}
