import { type RefusedCall, refusal } from './refusals.ts';

/** Undefined when the bytes are a JSON object in UTF-8. */
export function refuseBadTraits(traitsJson: Uint8Array): RefusedCall | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(traitsJson);
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return undefined;
    return refusal('REQUEST_TRAITS_MALFORMED', { reason: 'not an object' });
  } catch (error) {
    const reason = error instanceof TypeError ? 'not UTF-8' : 'not JSON';
    return refusal('REQUEST_TRAITS_MALFORMED', { reason });
  }
}
