import { isExact, type Selector, type SelectorPart } from '../selector/selector.ts';

/** A condition on the table `envoys`, with its values. */
export interface Condition {
  readonly sql: string;
  readonly values: readonly (string | number)[];
}

export const everywhere: Condition = { sql: '1', values: [] };

/** Name of the SQL function that answers for globs that SQLite's own do not know. */
export const fitsFunction = 'hostname_fits';

export function allOf(conditions: readonly Condition[]): Condition {
  return join(conditions, ' and ', everywhere);
}

export function anyOf(conditions: readonly Condition[]): Condition {
  return join(conditions, ' or ', { sql: '0', values: [] });
}

function join(conditions: readonly Condition[], word: string, none: Condition): Condition {
  if (conditions.length === 0) return none;
  return {
    sql: `(${conditions.map(({ sql }) => sql).join(word)})`,
    values: conditions.flatMap(({ values }) => values),
  };
}

export function selectorCondition({ parts }: Selector): Condition {
  return allOf(parts.map(partCondition));
}

function partCondition(part: SelectorPart): Condition {
  if (part.kind === 'id') return { sql: 'envoy_id = ?', values: [part.id] };
  if (part.kind === 'host') return hostCondition(part.glob);
  return traitCondition(part);
}

function hostCondition(glob: string): Condition {
  if (isExact(glob)) return { sql: 'hostname = ? collate nocase', values: [glob] };
  // What * and ? mean is the same for SQLite, which is many times faster than a call of ours.
  if (!/[[\]{}!^]/.test(glob)) return { sql: 'lower(hostname) glob ?', values: [glob] };
  return { sql: `${fitsFunction}(?, hostname)`, values: [glob] };
}

/** Through the index of traits by value: the envoys of one value are a range of its rows. */
function traitCondition({ path, not, value, glob }: SelectorPart & { kind: 'trait' }): Condition {
  const test = glob ? 'value glob ?' : 'value = ?';
  // In SQLite's globs a bracket begins a set of characters; here it is itself.
  const wanted = glob ? value.replaceAll('[', '[[]') : value;
  return {
    sql: `envoy_id ${not ? 'not in' : 'in'} (
      select number.envoy_id from trait_postings as posting
      join envoy_numbers as number on number.number = posting.envoy
      where posting.term in (select term from trait_terms where path = ? and ${test}))`,
    values: [path, wanted],
  };
}
