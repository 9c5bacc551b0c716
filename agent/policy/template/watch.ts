import { AgentError } from '../../errors.ts';
import { closestName } from '../closest.ts';
import { TextLimit } from './bounded-text.ts';
import { StepLimit } from './budget.ts';
import { templateError } from './position.ts';
import { Unknown } from './values.ts';

/** Mistakes that one look at a template reports; it ends there. */
export const mistakeLimit = 100;

class EnoughMistakes extends Error {}

export interface Mistake {
  /** POLICY_TEMPLATE_*, with line, column and offset in its details. */
  readonly error: AgentError;
  /** What may not be a mistake after all: a trait that this version does not know. */
  readonly doubtful: boolean;
}

/** Collects what a walk through a template with partly unknown data finds. */
export class Watch {
  readonly mistakes: Mistake[] = [];
  readonly #source: string;
  #sawUnknown = false;

  constructor(source: string) {
    this.#source = source;
  }

  /** Whether the text that came out is what a node will get. */
  get isExact(): boolean {
    return !this.#sawUnknown && this.mistakes.length === 0;
  }

  unknown(): void {
    this.#sawUnknown = true;
  }

  /** Limits end the walk; after an unknown value they say nothing about the template. */
  mistake(error: unknown): void {
    const isLimit =
      error instanceof TextLimit ||
      error instanceof StepLimit ||
      error instanceof EnoughMistakes ||
      (error instanceof AgentError && error.code === 'POLICY_TEMPLATE_LIMIT');
    if (isLimit || !(error instanceof AgentError)) throw error;
    this.#add(error, false);
  }

  /** What a walk that ended early leaves to say. */
  ended(error: unknown): void {
    if (error instanceof EnoughMistakes) return;
    if (!(error instanceof AgentError)) throw error;
    if (!this.#sawUnknown) this.#add(error, false);
    this.#sawUnknown = true;
  }

  /** The field of an unknown value, which is doubtful when its name is not among the known ones. */
  field(
    value: Unknown,
    operand: { readonly path: readonly string[]; readonly offset: number },
    position: number,
  ): Unknown {
    this.#sawUnknown = true;
    const name = operand.path[position]!;
    const { names } = value;
    if (names === null) return new Unknown();
    if (Object.hasOwn(names, name)) return new Unknown(names[name]);
    const suggestion = closestName(name, Object.keys(names));
    const before = operand.path.slice(0, position);
    const error = templateError('POLICY_TEMPLATE_MISSING_KEY', this.#source, operand.offset, {
      path: `.${[...before, name].join('.')}`,
      ...(suggestion === undefined ? {} : { suggestion: `.${[...before, suggestion].join('.')}` }),
    });
    this.#add(error, suggestion === undefined);
    return new Unknown();
  }

  #add(error: AgentError, doubtful: boolean): void {
    this.mistakes.push({ error, doubtful });
    if (this.mistakes.length >= mistakeLimit) throw new EnoughMistakes();
  }
}
