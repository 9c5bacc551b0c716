import type { VersionOrigin } from '../../../../actors/publish/version.ts';
import { type Html, html } from '../../html.ts';

/** Whoever did something: "admin:alice" is alice. */
export function personOf(by: string): string {
  return by.startsWith('admin:') ? by.slice('admin:'.length) : by;
}

/** How a version came about. */
export function originWords(origin: VersionOrigin): Html {
  switch (origin.kind) {
    case 'publish':
      return html`published`;
    case 'promote':
      return html`promoted from ${origin.from} to ${origin.to}`;
    case 'rollback':
      return html`brings ${versionLink(origin.of)} back`;
    case 'automatic-rollback':
      return html`automatic rollback to ${versionLink(origin.of)}`;
  }
}

export function versionLink(version: number): Html {
  return html`<a href="/policy/${version}">version ${version}</a>`;
}
