import { AdminError } from '../../errors.ts';
import type { Backend } from '../backend.ts';

/** Plans have long ids; a beginning that only one has will do. */
const idPrefix = /^[0-9a-f]{8}[0-9a-f-]{0,28}$/;

/** Throws API_NOT_FOUND and API_AMBIGUOUS. */
export function wholePlanId(backend: Backend, id: string): string {
  const ids = idPrefix.test(id) ? backend.views.plans.ids(id) : [];
  if (ids.length > 1) throw new AdminError('API_AMBIGUOUS', `${id} is ${ids.join(', ')}`, { ids });
  if (ids[0] === undefined) throw new AdminError('API_NOT_FOUND', `plan ${id}`);
  return ids[0];
}
