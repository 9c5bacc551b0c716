import { type Html, html } from '../html.ts';

interface LiveRegion {
  /** Unique in its page: finds the part in the page that is fetched again. */
  readonly id: string;
  /** Names of events (GET /api/v1/events) upon which it is fetched again. */
  readonly on: readonly string[];
  /** Of the page that holds it, with its query. */
  readonly path: string;
  readonly body: Html;
  /** Seconds between two fetches, however many events come. */
  readonly everySeconds?: number;
}

const everySecondsDefault = 3;

/**
 * A part of a page that the server renders again when something happened: the page is fetched, this
 * part of it and its head are taken, and only what differs is changed, so that focus and scrolling stay.
 */
export function live({ id, on, path, body, everySeconds = everySecondsDefault }: LiveRegion): Html {
  const trigger = [
    ...on.map((name) => `${name} from:body throttle:${everySeconds}s`),
    // What was missed while the connection was away cannot be told one by one.
    `reset from:body throttle:${everySeconds}s`,
    'vigo:refresh from:body',
  ].join(', ');
  return html`<div id="${id}" hx-get="${path}" hx-select="#${id}" hx-swap="outerMorph"
    hx-select-oob="#page-head:outerMorph" hx-trigger="${trigger}">${body}</div>`;
}
