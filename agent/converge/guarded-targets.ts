import type { Target } from '../executors/contract.ts';
import { checkTarget, type GuardLayout, type Refusal } from '../policy/guardrails.ts';

/**
 * What the guardrails look at of a rendered resource. Their answer depends on it and the layout
 * alone, so it is found once and not in every pass.
 */
export class GuardedTargets {
  readonly targets: readonly Target[];
  #asked: { readonly layout: GuardLayout; readonly refusal: Refusal | undefined } | undefined;

  constructor(targets: readonly Target[]) {
    const seen = new Map(
      targets.map((one) => [`${one.kind}\0${one.effect}\0${one.value}`, one] as const),
    );
    this.targets = [...seen.values()];
  }

  /** By names, without looking at the node. */
  refusal(layout: GuardLayout): Refusal | undefined {
    if (this.#asked?.layout !== layout) {
      let refusal: Refusal | undefined;
      for (const target of this.targets) refusal ??= checkTarget(target, layout);
      this.#asked = { layout, refusal };
    }
    return this.#asked.refusal;
  }
}
