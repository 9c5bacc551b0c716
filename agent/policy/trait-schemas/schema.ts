/**
 * When a trait is looked at again: `volatile` in every pass, `stable` in every tenth or after five
 * minutes, `periodic` once an hour.
 */
export type RefreshClass = 'volatile' | 'stable' | 'periodic';

export interface TraitField {
  readonly type: 'text' | 'number' | 'boolean' | 'list of texts';
  /** "bytes", "seconds", "percent" and the like; absent where there is none. */
  readonly unit?: string;
  readonly description: string;
}

/** What one collector tells of a machine. Its reference page and the checks at publish come from here. */
export interface TraitSchema {
  readonly name: string;
  readonly refresh: RefreshClass;
  /** Milliseconds that a collection may take. */
  readonly timeoutMs: number;
  readonly summary: string;
  /** Files that it reads, and the condition under which there is such a trait at all. */
  readonly source: string;
  /** When a change makes the agent send the traits again; see docs/decisions. */
  readonly told: string;
  /**
   * Path below the trait -> what is there. `*` stands for a name of the machine's own (a mount
   * point, a device), `[]` for the elements of a list. Fields that the machine does not tell are
   * left out of its traits.
   */
  readonly fields: Readonly<Record<string, TraitField>>;
}

const collectorTimeoutMs = 5_000;

export const onChange = 'when it changes';
export const slowly = 'with the next document, at least hourly';

type Facts = Pick<TraitSchema, 'name' | 'refresh' | 'summary' | 'source' | 'fields'> &
  Partial<Pick<TraitSchema, 'timeoutMs' | 'told'>>;

/** A schema with the usual limit; volatile traits are told slowly, the others when they change. */
export function traitSchema(facts: Facts): TraitSchema {
  const told = facts.refresh === 'volatile' ? slowly : onChange;
  return { timeoutMs: collectorTimeoutMs, told, ...facts };
}

export function text(description: string): TraitField {
  return { type: 'text', description };
}

export function number(unit: string, description: string): TraitField {
  return unit === '' ? { type: 'number', description } : { type: 'number', unit, description };
}

export function boolean(description: string): TraitField {
  return { type: 'boolean', description };
}

export function texts(description: string): TraitField {
  return { type: 'list of texts', description };
}
