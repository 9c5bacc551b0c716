import type { PolicyValue } from '../protocol/bundle.ts';

/** A reference to a secret, wherever a value can stand (`secret:path/of/it`). */
const marker = /(?<![\w])secret:[A-Za-z0-9_][\w./-]*/;
const markers = new RegExp(marker.source, 'g');

export function holdsSecret(value: PolicyValue): boolean {
  if (typeof value === 'string') return marker.test(value);
  if (value === null || typeof value !== 'object') return false;
  return Object.values(value).some(holdsSecret);
}

/** For anything that leaves the agent. */
export function maskSecrets(text: string): string {
  return text.replace(markers, 'secret:***');
}
