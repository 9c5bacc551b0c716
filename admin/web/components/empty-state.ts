import { type Html, html } from '../html.ts';
import { type IconName, icon } from './icon.ts';

export interface EmptyState {
  readonly icon: IconName;
  readonly title: string;
  /** What would be here, and how it gets here. */
  readonly text: string;
  readonly action?: Html;
}

/** In place of a list that has no rows. */
export function emptyState({ icon: name, title, text, action }: EmptyState): Html {
  return html`<div class="empty">${icon(name)}<strong>${title}</strong><p>${text}</p>${action}</div>`;
}
