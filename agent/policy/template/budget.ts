import { isList, isMap, type Value } from './values.ts';

/** Units of work of one rendering: a node, a command, an element, or `unitCharacters` of text. */
export const renderStepLimit = 400_000;
const unitCharacters = 16;

/** Thrown when the work of a rendering is used up; the renderer makes a positioned error of it. */
export class StepLimit extends Error {}

/** Bounds the time and the memory of one rendering. */
export class Budget {
  #used = 0;

  spend(units: number): void {
    this.#used += units;
    if (this.#used > renderStepLimit) throw new StepLimit();
  }

  /** What a function has to look at, or has made. */
  spendOn(value: Value): void {
    if (typeof value === 'string') this.spend(Math.floor(value.length / unitCharacters));
    else if (isList(value)) this.spend(value.length);
    else if (isMap(value)) this.spend(Object.keys(value).length);
  }
}
