import type { Static } from 'typebox';
import type { traitsShape } from '../../api/shapes/envoys.ts';
import { count } from '../components/numbers.ts';
import { timeAgo } from '../components/time.ts';
import { type Html, html } from '../html.ts';
import { pathTo } from '../path.ts';

type Traits = Static<typeof traitsShape>;

/** Leaves that are shown; a document has some hundreds. */
const leavesMax = 5_000;

interface Leaf {
  /** "network.interfaces.0.name" */
  readonly path: string;
  readonly value: string;
}

/** The traits document as names and values, by group; each value is a filter of the envoy list. */
export function traitList(document: Traits, find: string | undefined, nowMs: number): Html {
  const all = leavesOf(document.traits);
  const wanted = (find ?? '').trim().toLowerCase();
  const shown = all.filter(({ path, value }) => `${path}=${value}`.toLowerCase().includes(wanted));
  const groups = groupsOf(shown);
  return html`<form class="filters" action="">
      <div class="field grow"><label for="find">Find in traits</label>
        <input id="find" name="find" type="search" value="${find ?? ''}" autocomplete="off" spellcheck="false"></div>
      <button class="button">Find</button>
    </form>
    <p class="muted">${count(shown.length)} of ${count(all.length)} traits,
      told ${timeAgo(document.receivedAtMs, nowMs)}</p>
    <div class="columns">${[...groups].map(
      ([name, leaves]) =>
        html`<section class="panel"><h2>${name}</h2><dl class="facts traits">${leaves.map(leafRow)}</dl></section>`,
    )}</div>`;
}

/** By the first name of the path, in order. */
function groupsOf(leaves: readonly Leaf[]): Map<string, Leaf[]> {
  const groups = new Map<string, Leaf[]>();
  for (const leaf of leaves) {
    const [name = ''] = leaf.path.split('.');
    groups.set(name, [...(groups.get(name) ?? []), leaf]);
  }
  return groups;
}

function leafRow({ path, value }: Leaf): Html {
  const name = path.split('.').slice(1).join('.') || path;
  const filter = pathTo('/envoys', { q: `${path}=${value}` });
  const isFilter = !/\.\d+(\.|$)/.test(path) && value !== '' && value.length < 100;
  return html`<div><dt>${name}</dt><dd>${
    isFilter ? html`<a href="${filter}" title="Envoys with the same value">${value}</a>` : value
  }</dd></div>`;
}

function leavesOf(value: unknown, path = '', found: Leaf[] = []): Leaf[] {
  if (found.length >= leavesMax) return found;
  if (typeof value === 'object' && value !== null) {
    for (const [name, inner] of Object.entries(value)) {
      leavesOf(inner, path === '' ? name : `${path}.${name}`, found);
    }
    return found;
  }
  found.push({ path, value: String(value) });
  return found;
}
