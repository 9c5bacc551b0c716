import { type Html, html } from '../html.ts';

interface LiveRegion {
  /** Unique in its page: finds the part in the page that is fetched again. */
  readonly id: string;
  /** Of the page that holds it, with its query. */
  readonly path: string;
  readonly body: Html;
  /** Names of events upon which it is fetched again; of pages that hear of events one by one. */
  readonly on?: readonly string[];
}

/** Seconds between two fetches, however many events come one by one. */
const everySeconds = 3;

/**
 * A part of a page that the server renders again when something happened: the page is fetched, this
 * part of it and its head are taken, and only what differs is changed, so that focus and scrolling stay.
 */
export function live({ id, on, path, body }: LiveRegion): Html {
  const told = on?.map((name) => `${name} from:body throttle:${everySeconds}s`) ?? [
    'news from:body',
  ];
  // What was missed while the connection was away cannot be told one by one.
  const reset = `reset from:body throttle:${everySeconds}s`;
  const trigger = [...told, reset, 'vigo:refresh from:body'].join(', ');
  return html`<div id="${id}" hx-get="${path}" hx-select="#${id}" hx-swap="outerMorph"
    hx-select-oob="#page-head:outerMorph" hx-trigger="${trigger}" data-live-region>${body}</div>`;
}
