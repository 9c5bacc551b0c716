import type { Principal } from '../api/authenticate.ts';
import { reachOf } from '../api/policy-decision.ts';
import { assetPath } from './assets.ts';
import { icon } from './components/icon.ts';
import { keyboardHelp } from './components/keyboard-help.ts';
import { type Html, html, ownMarkup } from './html.ts';
import { accountPath, entryOf, type NavigationGroup, navigation } from './navigation.ts';
import { pathTo } from './path.ts';

/** What the browser keeps: a look, or nothing when the system decides. */
export type Theme = 'light' | 'dark' | 'auto';

export interface Crumb {
  readonly label: string;
  readonly path: string;
}

/** A filter of events: what a page does not show it need not hear of. */
export interface Listening {
  /** Types or globs: "rollout.*". */
  readonly types?: readonly string[];
  /** UUID of the one envoy that the page is about. */
  readonly envoy?: string;
  /** Only what stands in the audit log. */
  readonly audited?: true;
  /**
   * Seconds: the page is told at most so often that there is news; 'one by one': it is told of every
   * event.
   */
  readonly every?: number | 'one by one';
}

interface Shown {
  readonly title: string;
  readonly body: Html;
  readonly crumbs?: readonly Crumb[];
  readonly actions?: Html;
  readonly listen?: Listening;
}

interface Around {
  readonly view: Shown;
  readonly theme: Theme;
}

interface AroundPerson extends Around {
  readonly asker: Principal;
  /** Of the page, as the route has it: "/envoys/{id}". */
  readonly path: string;
  /** The newest live event that the page knows of. */
  readonly position?: number | undefined;
}

/** A part of a page that is refused stays as it was; the script tells why. */
const htmxConfig = JSON.stringify({
  history: false,
  includeIndicatorCSS: false,
  noSwap: [204, 304, '4xx', '5xx'],
  // What somebody opened or closed stays so when its part of the page is shown again.
  morphIgnore: ['data-htmx-powered', 'open'],
});
const everyDefault = 3;
const themeCookie = /(?:^|;\s*)vigo_theme=(light|dark)(?:;|$)/;

export function themeOf(cookies: string | undefined): Theme {
  const found = themeCookie.exec(cookies ?? '')?.[1];
  return found === 'light' || found === 'dark' ? found : 'auto';
}

/** A page of somebody who is logged in: sidebar, top bar, what is shown, keys. */
export function layout({ view, asker, theme, path, position }: AroundPerson): Html {
  const { title, body } = view;
  return htmlDocument(
    { title, theme },
    html`<a class="skip-link" href="#main">Skip to content</a>
<div class="shell">
  <nav class="sidebar" id="sidebar" aria-label="Main">
    <a class="brand" href="/">${logo()}<span>Vigo</span></a>
    ${navigation.map((group) => navigationGroup(group, asker, path))}
    <p class="sidebar-foot muted small"><button type="button" class="link" data-dialog="keys">${icon('keyboard')} Keys <kbd>?</kbd></button></p>
  </nav>
  <header class="topbar">
    <button type="button" class="icon-button menu-button" data-menu aria-controls="sidebar" aria-expanded="false" aria-label="Menu">${icon('menu')}</button>
    <form class="search" action="/envoys" role="search">
      ${icon('search')}
      <input type="search" name="q" placeholder="Find envoys: name, glob or trait" aria-label="Find envoys"
        data-search autocomplete="off" spellcheck="false">
      <kbd aria-hidden="true">/</kbd>
    </form>
    ${view.listen && html`<span class="live-state" data-live-state role="status">Connecting</span>`}
    ${themeSwitch(theme)}
    <a class="person" href="${accountPath}"
      aria-label="Your account: ${asker.name}, ${asker.role}">${icon('user')}<span class="person-name">${asker.name}</span> <span class="tag">${asker.role}</span></a>
    <button type="button" class="icon-button" data-api="DELETE /api/v1/session" data-then="/login"
      aria-label="Log out" title="Log out">${icon('logout')}</button>
  </header>
  <main id="main" class="main" tabindex="-1">
    ${breadcrumb(view)}
    ${pageHead(view)}
    ${body}
  </main>
</div>
${view.listen && listener(view.listen, position)}
${keyboardHelp(navigation)}
<div class="toasts" data-toasts role="status" aria-live="polite"></div>`,
  );
}

/** What a page fetches again of itself: its head and its parts, without what stands around them. */
export function partsOnly({ view }: Pick<AroundPerson, 'view'>): Html {
  return html`<title>${view.title} · Vigo</title>${pageHead(view)}${view.body}`;
}

function pageHead({ title, actions }: Pick<Shown, 'title' | 'actions'>): Html {
  const beside = actions && html`<div class="page-actions">${actions}</div>`;
  return html`<div class="page-head" id="page-head"><h1>${title}</h1>${beside}</div>`;
}

/** A page of nobody: the login, the first setup, an error. */
export function bareLayout({ view, theme }: Around): Html {
  return htmlDocument(
    { title: view.title, theme },
    html`<main id="main" class="bare" tabindex="-1">
  <p class="brand">${logo()}<span>Vigo</span></p>
  <h1>${view.title}</h1>
  ${view.body}
  <div class="bare-foot">${themeSwitch(theme)}</div>
</main>`,
  );
}

function htmlDocument({ title, theme }: { title: string; theme: Theme }, body: Html): Html {
  return html`<!doctype html>
<html lang="en"${theme !== 'auto' && html` data-theme="${theme}"`}>
<head>
<meta charset="utf-8">
<title>${title} · Vigo</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="htmx-config" content="${htmxConfig}">
<link rel="icon" href="${assetPath('favicon.svg')}" type="image/svg+xml">
<link rel="stylesheet" href="${assetPath('vigo.css')}">
<link rel="stylesheet" href="${assetPath('charts.css')}">
<link rel="stylesheet" href="${assetPath('control.css')}">
<script src="${assetPath('htmx.js')}" defer></script>
<script src="${assetPath('htmx-sse.js')}" defer></script>
<script src="${assetPath('vigo.js')}" defer></script>
<script src="${assetPath('zoom-chart.js')}" type="module" data-uplot="${assetPath('uplot.js')}" data-style="${assetPath('uplot.css')}" id="zoom-chart"></script>
</head>
<body>
${body}
</body>
</html>
`;
}

function navigationGroup(
  { label, entries }: NavigationGroup,
  asker: Principal,
  path: string,
): Html | undefined {
  const current = entryOf(path);
  const shown = entries.filter(({ access }) => {
    const { everywhere, selectors } = reachOf(asker, access);
    return everywhere || selectors.length > 0;
  });
  if (shown.length === 0) return undefined;
  return html`<p class="nav-label" aria-hidden="true">${label}</p>
    <ul class="nav" aria-label="${label}">${shown.map(
      (entry) =>
        html`<li><a href="${entry.path}"${entry === current && ownMarkup(' aria-current="page"')}>${icon(entry.icon)}<span>${entry.label}</span></a></li>`,
    )}</ul>`;
}

/** One connection a page: its events reach the parts that wait for them. Hidden pages have none. */
function listener(listening: Listening, after?: number): Html {
  const { types, envoy, audited, every = everyDefault } = listening;
  const path = pathTo('/api/v1/events', {
    type: types?.join(','),
    envoy,
    audited: audited && 'true',
    every: every === 'one by one' ? undefined : every,
    after,
  });
  return html`<div hidden hx-sse:connect="${path}" hx-swap="none"></div>`;
}

function breadcrumb({ crumbs = [], title }: Shown): Html | undefined {
  if (crumbs.length === 0) return undefined;
  return html`<nav class="breadcrumb" aria-label="Breadcrumb"><ol>${crumbs.map(
    ({ label, path }) => html`<li><a href="${path}">${label}</a></li>`,
  )}<li aria-current="page">${title}</li></ol></nav>`;
}

function themeSwitch(theme: Theme): Html {
  return html`<button type="button" class="icon-button" data-theme-switch
    aria-label="Change between light, dark and the look of the system (now ${theme})" title="Light, dark, system">${icon('contrast')}</button>`;
}

/** A keystone in an arch: what keeps the others in place. */
function logo(): Html {
  return html`<svg class="logo" viewBox="0 0 24 24" aria-hidden="true"><path class="logo-arch" d="M3 20a9 9 0 0 1 18 0"/><path class="logo-stone" d="M9.4 5.5h5.2l-1.2 6.2h-2.8z"/></svg>`;
}
