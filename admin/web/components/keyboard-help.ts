import { type Html, html } from '../html.ts';
import type { NavigationGroup } from '../navigation.ts';
import { dialog } from './dialog.ts';

const others: readonly (readonly [string, string])[] = [
  ['/', 'Find envoys'],
  ['j k', 'Next, previous row of a list'],
  ['Enter', 'Open the row'],
  ['n p', 'Next, previous page of a list'],
  ['t', 'Light, dark, system'],
  ['?', 'This help'],
  ['Esc', 'Close'],
];

/** The dialog that lists the keys; the script reads the places to go to from it. */
export function keyboardHelp(groups: readonly NavigationGroup[]): Html {
  const places = groups.flatMap(({ entries }) => entries);
  return dialog({
    id: 'keys',
    title: 'Keys',
    body: html`<dl class="keys">
      ${places.map(
        ({ key, label, path }) =>
          html`<div data-go="${key}" data-path="${path}"><dt><kbd>g</kbd> <kbd>${key}</kbd></dt><dd>${label}</dd></div>`,
      )}
      ${others.map(
        ([keys, what]) =>
          html`<div><dt>${keys.split(' ').map((key) => html`<kbd>${key}</kbd> `)}</dt><dd>${what}</dd></div>`,
      )}
    </dl>`,
  });
}
