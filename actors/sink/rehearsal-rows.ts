import type { RehearsedResource, RehearsedVariant } from '../plan/view.ts';
import { actionName } from './query-rows.ts';

/** Envoys that predicted the very same of one resource. */
export interface VariantRow {
  readonly id: string;
  readonly type: string;
  /** agent/protocol ResourceAction. */
  readonly action: number;
  readonly assumed: number;
  readonly reason: string;
  readonly diff: string;
  readonly errorCode: string;
  readonly envoys: number;
  readonly hostname: string;
}

/** Different answers that are shown of one resource. */
const variantsShown = 5;

/**
 * One row per resource over all envoys that answered. `totals`: how many of them have the resource;
 * those that said nothing of it have it right already.
 */
export function rehearsedResources(
  variants: readonly VariantRow[],
  totals: ReadonlyMap<string, number>,
): RehearsedResource[] {
  const byId = new Map<string, VariantRow[]>();
  for (const row of variants) {
    const known = byId.get(row.id);
    if (known === undefined) byId.set(row.id, [row]);
    else known.push(row);
  }
  return [...byId]
    .map(([id, rows]) => resource(id, rows, totals.get(id) ?? 0))
    .sort((a, b) => a.id.localeCompare(b.id));
}

function resource(id: string, rows: readonly VariantRow[], total: number): RehearsedResource {
  const actions: Record<string, number> = {};
  for (const { action, envoys } of rows) {
    const name = actionName(action);
    actions[name] = (actions[name] ?? 0) + envoys;
  }
  const told = rows.reduce((sum, { envoys }) => sum + envoys, 0);
  if (total > told) actions.none = (actions.none ?? 0) + total - told;
  const assumed = rows.reduce((sum, row) => sum + (row.assumed === 1 ? row.envoys : 0), 0);
  return {
    id,
    type: rows[0]!.type,
    envoys: Math.max(total, told),
    actions,
    assumed,
    variants: rows.slice(0, variantsShown).map(variant),
    moreVariants: Math.max(0, rows.length - variantsShown),
  };
}

function variant({ action, assumed, id: _id, type: _type, ...row }: VariantRow): RehearsedVariant {
  return { ...row, action: actionName(action), assumed: assumed === 1 };
}
