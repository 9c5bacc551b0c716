import type { Static } from 'typebox';
import type { savedViewShape } from '../../api/shapes/envoys.ts';
import { dialog } from '../components/dialog.ts';
import { icon } from '../components/icon.ts';
import { type Html, html, ownMarkup } from '../html.ts';
import { pathTo } from '../path.ts';

export interface Views {
  readonly items: readonly Static<typeof savedViewShape>[];
}

interface Shown {
  readonly q?: string | undefined;
  readonly state?: string | undefined;
  readonly sort?: string | undefined;
  readonly order?: string | undefined;
}

/** Lists that somebody keeps, as links; the present one can be kept, a kept one forgotten. */
export function savedViews({ items }: Views, shown: Shown): Html {
  const { q, state, sort, order } = shown;
  const isFiltered = [q, state, sort].some((value) => value !== undefined && value !== '');
  const current = items.find(({ query }) => sameView(query, shown));
  if (items.length === 0 && !isFiltered) return html``;
  return html`<ul class="chips" aria-label="Saved views">
    ${items.map(
      (view) =>
        html`<li><a class="chip" href="${viewPath(view.query)}"${view === current && ownMarkup(' aria-current="true"')}>${icon('star')}${view.name}</a></li>`,
    )}
    ${
      isFiltered &&
      current === undefined &&
      html`<li><button type="button" class="chip" data-dialog="save-view">${icon('star')} Save this view</button></li>`
    }
    ${
      current !== undefined &&
      html`<li><button type="button" class="chip" data-api="DELETE /api/v1/views/${encodeURIComponent(current.name)}"
        data-then="reload" data-confirm="Forget the view ${current.name}?">${icon('close')} Forget this view</button></li>`
    }
  </ul>
  ${dialog({
    id: 'save-view',
    title: 'Save this view',
    body: html`<form data-api="PUT /api/v1/views/{name}" data-then="reload">
      <div class="field"><label for="view-name">Name</label>
        <input id="view-name" name="{name}" required maxlength="80" autocomplete="off"></div>
      ${Object.entries({
        selector: q,
        state,
        sort,
        order,
      }).map(
        ([name, value]) => value && html`<input type="hidden" name="${name}" value="${value}">`,
      )}
      <p class="form-error" data-error role="alert"></p>
      <button class="button primary">Save</button>
    </form>`,
  })}`;
}

function viewPath({ selector, ...rest }: Views['items'][number]['query']): string {
  return pathTo('/envoys', { q: selector, ...rest });
}

function sameView(query: Views['items'][number]['query'], shown: Shown): boolean {
  const { selector, state, sort, order } = query;
  const same = (one: string | undefined, other: string | undefined) =>
    (one ?? '') === (other ?? '');
  return (
    same(selector, shown.q) &&
    same(state, shown.state) &&
    same(sort, shown.sort) &&
    same(order, shown.order)
  );
}
