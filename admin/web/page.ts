import type { Static, TObject } from 'typebox';
import { Answer } from '../api/answer.ts';
import type { Principal } from '../api/authenticate.ts';
import type { RequestHead } from '../api/http-edge.ts';
import type { Permission } from '../api/permissions.ts';
import type { Problem } from '../api/problem.ts';
import { type ReadApi, type Route, route } from '../api/route.ts';
import { errorPanel } from './components/error-panel.ts';
import { Drawn, wantedBy } from './drawn.ts';
import type { Html } from './html.ts';
import { bareLayout, type Crumb, type Listening, layout, type Theme, themeOf } from './layout.ts';
import { pathTo } from './path.ts';
import { pageHeaders } from './security-headers.ts';

export interface PageRequest<Parameters, Query> {
  readonly parameters: Parameters;
  readonly query: Query;
  readonly asker: Principal;
  /** Reads from a route of the API as the one who asks; this is where pages get what they show. */
  readonly read: ReadApi;
  /** The Host header. */
  readonly host: string | undefined;
  header(name: string): string | undefined;
  /** Wall clock, milliseconds. */
  readonly nowMs: number;
}

/** What a page shows; the layout goes around it. */
export interface PageView {
  readonly title: string;
  readonly body: Html;
  /** From the start to here, without this page. */
  readonly crumbs?: readonly Crumb[];
  /** Beside the title: buttons, links. */
  readonly actions?: Html;
  /** What the page listens to (GET /api/v1/events); absent: it is not live. */
  readonly listen?: Listening;
  /** Another status than 200. */
  readonly status?: number;
}

interface PageDefinition<Parameters extends TObject, Query extends TObject> {
  readonly path: string;
  readonly summary: string;
  /** As of a route; 'public' pages have no navigation around them. */
  readonly access: 'public' | Permission;
  readonly parameters: Parameters;
  readonly query: Query;
  /** An Answer instead of a view goes out as it is: a redirect, a file. */
  render(
    request: PageRequest<Static<Parameters>, Static<Query>>,
  ): Promise<PageView | Answer> | PageView | Answer;
  /**
   * True: everybody with the same rights sees the same, and `render` runs once for all who look at the
   * same time. It gets those rights without a person, so that nothing of one can reach another.
   */
  readonly shared?: true;
  /** Of a shared page: what only this person sees around the shared view; no part that is live. */
  personal?(
    request: PageRequest<Static<Parameters>, Static<Query>>,
    view: PageView,
  ): Promise<PageView>;
}

/**
 * A page: a GET route that answers with HTML. Strangers are sent to the login, other refusals are
 * worded as pages.
 */
export function page<P extends TObject, Q extends TObject>(
  definition: PageDefinition<P, Q>,
): Route {
  const { path, summary, access, parameters, query, render, shared, personal } = definition;
  return route({
    method: 'GET',
    path,
    summary,
    access,
    // What the page reads decides again, envoy by envoy.
    envoys: 'named',
    parameters,
    query,
    body: undefined,
    handle: async (request) => {
      const { asker, header } = request;
      const asked: PageRequest<Static<P>, Static<Q>> = {
        parameters: request.parameters as Static<P>,
        query: request.query as Static<Q>,
        asker,
        read: request.read,
        host: request.host,
        header,
        nowMs: request.backend.nowMs(),
      };
      const isPart = header('hx-request') !== undefined;
      const drawn = shared
        ? await request.shared.once(wantedBy(header), async (position) => {
            const { asker, read } = request.shared;
            const nobodys = { ...asked, asker, read, host: undefined, header: () => undefined };
            return new Drawn(await render(nobodys), position);
          })
        : new Drawn(await render(asked));
      if (drawn.view instanceof Answer) return drawn.view;
      if (isPart) return await drawn.parts(header);
      const view = personal === undefined ? drawn.view : await personal(asked, drawn.view);
      const theme = themeOf(header('cookie'));
      const around = access === 'public' ? bareLayout : layout;
      const { position } = drawn;
      return htmlAnswer(view.status ?? 200, around({ view, asker, theme, path, position }));
    },
    refuse: refusedPage,
  });
}

export function htmlAnswer(status: number, markup: Html, headers = {}): Answer {
  return new Answer(status, { ...pageHeaders, ...headers }, markup.text);
}

export function redirect(path: string): Answer {
  return new Answer(303, { ...pageHeaders, location: path }, '');
}

/** Strangers go to the login and come back; a part of a page that is asked for makes its page go. */
export function refusedPage(problem: Problem, head: RequestHead): Answer {
  const theme = themeOf(head.header('cookie'));
  if (problem.status === 401) {
    const asked = head.query === '' ? head.path : `${head.path}?${head.query}`;
    if (head.header('hx-request') === undefined) {
      return redirect(pathTo('/login', { next: asked === '/' ? undefined : asked }));
    }
    const shown = URL.parse(head.header('hx-current-url') ?? '');
    const next = shown === null ? undefined : shown.pathname + shown.search;
    return htmlAnswer(401, errorPanel(problem), { 'hx-redirect': pathTo('/login', { next }) });
  }
  if (problem.code === 'API_PASSWORD_CHANGE_DUE') return redirect('/account');
  return htmlAnswer(problem.status, refusal(problem, theme));
}

const titles: Readonly<Record<number, string>> = {
  400: 'This cannot be read',
  403: 'Not allowed',
  404: 'Not found',
  409: 'Not now',
  429: 'Too much at once',
  503: 'Busy',
};

function refusal(problem: Problem, theme: Theme): Html {
  const title = titles[problem.status] ?? 'This did not work';
  const view = { title, body: errorPanel(problem) };
  return bareLayout({ view, theme });
}
