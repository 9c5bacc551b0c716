import { AgentError } from '../errors.ts';
import { parseRegularExpression } from '../policy/regular-expression.ts';
import type { ParameterSpec } from '../policy/resource-schemas/parameter-spec.ts';
import type { NamesOf } from '../policy/resource-schemas/parameter-types.ts';
import { list, text } from '../policy/resource-schemas/schema.ts';
import { formsOf, missedForm } from '../policy/resource-schemas/value-problem.ts';
import type { PolicyValue } from '../protocol/bundle.ts';

/** One bad parameter of a resource. */
export interface ParameterProblem {
  readonly parameter: string;
  readonly problem: string;
}

/** Names every bad parameter of one resource at once. Never quotes a value: it may be a secret. */
export class ParameterError extends AgentError {
  readonly problems: readonly ParameterProblem[];

  constructor(problems: readonly ParameterProblem[]) {
    super(
      'POLICY_PARAMETER_INVALID',
      problems.map((one) => `${one.parameter}: ${one.problem}`).join('; '),
    );
    this.problems = problems;
  }
}

/** What a shell, a colon-separated file and a line-based file have in common that they cannot hold. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
export const controlCharacters = /[\u0000-\u001f\u007f]/;

/**
 * Reads rendered parameters by the table of their type. Problems are collected, so that a person
 * sees all of them at once: read everything, then call `finish`. With a table of exact type, reading a
 * parameter that the table does not have is a compile error.
 */
export class ParameterReader<Table extends readonly ParameterSpec[] = readonly ParameterSpec[]> {
  readonly #values: Readonly<Record<string, PolicyValue>>;
  readonly #table: ReadonlyMap<string, ParameterSpec>;
  readonly #problems: ParameterProblem[] = [];

  constructor(
    table: Table,
    values: Readonly<Record<string, PolicyValue>>,
    always: readonly string[] = [],
  ) {
    this.#table = new Map(table.map((spec) => [spec.name, spec]));
    this.#values = withDefaults(table, values);
    for (const name of Object.keys(values))
      if (!this.#table.has(name) && !always.includes(name)) this.problem(name, 'is not known');
    for (const spec of table)
      if (spec.required && isUnset(this.#values[spec.name])) this.problem(spec.name, 'is required');
    for (const spec of table) this.#checkForm(spec);
  }

  /** Publish cannot see what a template becomes, so the forms of the table are asked for again. */
  #checkForm(spec: ParameterSpec): void {
    if (spec.kind === 'path' && controlCharacters.test(text(this.#values, spec.name) ?? ''))
      this.problem(spec.name, 'must not hold control characters');
    if (spec.kind === 'enum') this.enumeration(spec.name, spec.values ?? []);
    const forms = formsOf(spec);
    if (forms.length === 0 || isUnset(this.#values[spec.name])) return;
    const given = text(this.#values, spec.name);
    const values = spec.kind === 'list' ? list(this.#values, spec.name) : [given ?? ''];
    for (const form of forms)
      for (const value of values) {
        const missed = value === '' ? undefined : missedForm(form, value);
        if (missed !== undefined) this.problem(spec.name, `must be ${missed}`);
      }
  }

  /** Text of a scalar; undefined when unset or empty. */
  text(name: NamesOf<Table>): string | undefined {
    const value = this.#values[name];
    if (isUnset(value)) return undefined;
    const scalar = text(this.#values, name);
    if (scalar === undefined) this.problem(name, 'must be one value');
    return scalar;
  }

  boolean(name: NamesOf<Table>): boolean | undefined {
    const value = this.text(name)?.toLowerCase();
    if (value === undefined) return undefined;
    if (value === 'true' || value === 'yes') return true;
    if (value === 'false' || value === 'no') return false;
    this.problem(name, 'must be true or false');
    return undefined;
  }

  integer(name: NamesOf<Table>, minimum: number, maximum: number): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const number = /^-?\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
    if (number >= minimum && number <= maximum) return number;
    this.problem(name, `must be a whole number from ${minimum} to ${maximum}`);
    return undefined;
  }

  enumeration<Value extends string>(
    name: NamesOf<Table>,
    values: readonly Value[],
  ): Value | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const found = values.find((one) => one === value);
    if (found === undefined) this.problem(name, `must be one of ${values.join(', ')}`);
    return found;
  }

  /** A regular expression; of a part of the parameter's text when `source` is given. */
  regex(
    name: NamesOf<Table>,
    flags = '',
    source: string | undefined = this.text(name),
  ): RegExp | undefined {
    if (source === undefined) return undefined;
    const parsed = parseRegularExpression(source, flags);
    if ('expression' in parsed) return parsed.expression;
    this.problem(name, `must be a regular expression (${parsed.problem})`);
    return undefined;
  }

  /** True for state absent of a type that has the states present and absent. */
  absent(): boolean {
    return this.enumeration('state', ['present', 'absent']) === 'absent';
  }

  /** Text that may be empty; undefined only when it is not given. */
  textOrEmpty(name: string): string | undefined {
    return this.#values[name] === '' ? '' : this.text(name);
  }

  /** A YAML list or comma-separated text; undefined when unset, empty when declared empty. */
  list(name: NamesOf<Table>): readonly string[] | undefined {
    const value = this.#values[name];
    if (value === undefined || value === null) return undefined;
    if (Array.isArray(value) || typeof value !== 'object') return list(this.#values, name);
    this.problem(name, 'must be a list');
    return undefined;
  }

  problem(parameter: string, problem: string): void {
    const known = this.#problems.some(
      (one) => one.parameter === parameter && one.problem === problem,
    );
    if (!known) this.#problems.push({ parameter, problem });
  }

  /** @throws {ParameterError} when any problem was found. */
  finish(): void {
    if (this.#problems.length > 0) throw new ParameterError(this.#problems);
  }
}

function isUnset(value: PolicyValue | undefined): boolean {
  return value === undefined || value === null || value === '';
}

function withDefaults(
  table: readonly ParameterSpec[],
  values: Readonly<Record<string, PolicyValue>>,
): Readonly<Record<string, PolicyValue>> {
  const filled: Record<string, PolicyValue> = {};
  for (const spec of table) if (spec.default !== undefined) filled[spec.name] = spec.default;
  for (const [name, value] of Object.entries(values))
    if (!isUnset(value) || filled[name] === undefined) filled[name] = value;
  return filled;
}

/** Milliseconds of "90", "90s", "45m" or "4h"; undefined when it is no duration. */
export function durationMs(value: string): number | undefined {
  const match = /^(\d{1,7})([smh]?)$/.exec(value.trim());
  if (match === null) return undefined;
  const unit = { '': 1000, s: 1000, m: 60_000, h: 3_600_000 }[match[2] as '' | 's' | 'm' | 'h'];
  return Number(match[1]) * unit;
}
